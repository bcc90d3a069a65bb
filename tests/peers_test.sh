#!/usr/bin/env bash
# bench/peers: programs take turns, and medians and ratios come out, shown with stand-ins whose times
# are known. What needs PyTorch is only held against Python's grammar here.
set -euo pipefail
root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# stand_in <name>: a program that prints its standard input's text.
stand_in() {
  { printf '#!/bin/sh\ncat <<"END"\n' && cat && printf 'END\n'; } >"$folder/$1"
  chmod +x "$folder/$1"
}
stand_in rlhf <<<'[{"seconds": [0.1, 0.2, 0.9], "peak_mib": 100.0, "tokens_per_s": 1}]'
stand_in llama-bench <<<'[{"avg_ts": 10}]'
stand_in train_gpt2 <<<'step 0: train loss 5.3 (took 9000.0 ms)
step 1: train loss 5.2 (took 1000.0 ms)
step 2: train loss 5.1 (took 1200.0 ms)
step 3: train loss 5.0 (took 800.0 ms)'
printf 'sleep 1\n' >>"$folder/train_gpt2"  # its memory is read while it lives

PYTHONDONTWRITEBYTECODE=1 python3 "$root/bench/peers/binaries.py" --binary "$folder/rlhf" \
  --llmc "$folder" --llama_bench "$folder/llama-bench" --gguf none --rounds 2 --prompt 8 --new 4 \
  --threads 2 >"$folder/table" 2>/dev/null

expect() {
  grep -qF "$1" "$folder/table" ||
    { printf 'peers_test: expected %s in\n' "$1" && cat "$folder/table" && exit 1; } >&2
}
expect '| train 4x64, 2 threads | rlhf.cpp | 200.0 (200.0) | 1,280.0 |  | 100 |'
expect '| train 4x64, 2 threads | llm.c | 1,000.0 (1,000.0) | 256.0 | 5.00 |'  # its first step warms up
expect '| pp8, 2 threads | llama.cpp | 800.0 (800.0) | 10.0 | 4.00 |'
expect '| tg4, 2 threads | llama.cpp | 400.0 (400.0) | 10.0 | 2.00 |'

python3 - "$root"/bench/peers/*.py <<'END'
import ast
import sys

for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        ast.parse(file.read(), path)
END
