#!/usr/bin/env bash
# The pages of `rlhf serve` in a real browser: Debian's chromium, driven by Debian's selenium. First
# against a real server with a small model of this repository's texts, then, for what needs a server
# that fails at will, against a mock. Left out (exit code 77) where the packages are not installed.
# Usage: tests/browser_test.sh <the program rlhf> [-k <part of the names of tests>]...
set -euo pipefail

program=$1
shift
source=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
python=/usr/bin/python3  # the one that Debian's packages are for
for need in chromium chromedriver; do
  command -v "$need" >/dev/null || { echo "left out: no $need on the PATH"; exit 77; }
done
"$python" -c 'import selenium' 2>/dev/null || { echo "left out: no python3-selenium"; exit 77; }

folder=$(mktemp -d)
server=
cleanup() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; wait "$server" || true; fi
  rm -rf "$folder"
}
trap cleanup EXIT

# A model that writes for long, and learns in seconds.
cat "$source"/../docs/*.md >"$folder/corpus.txt"
"$program" pretrain --dataset_name "$folder/corpus.txt" --vocab_size 384 --n_layer 2 --n_embd 96 \
  --block_size 1024 --max_steps 40 --per_device_train_batch_size 1 \
  --output_dir "$folder/runs/lm" >"$folder/pretrain.log" 2>&1 ||
  { tail -n 20 "$folder/pretrain.log"; exit 1; }
for ((i = 0; i < 100; i++)); do echo "{\"prompt\": \"Question $i of the people is\"}"; done \
  >"$folder/prompts.jsonl"
echo '{"max_steps": 1500, "per_device_train_batch_size": 4, "logging_steps": 5}' >"$folder/dpo.json"
"$program" serve --model_name_or_path "$folder/runs/lm" --data_dir "$folder/data" \
  --runs_dir "$folder/runs" --prompts "$folder/prompts.jsonl" --port 0 --max_new_tokens 24 \
  --ahead 8 --doubled 0 --dpo_config "$folder/dpo.json" >"$folder/link" 2>"$folder/server.log" &
server=$!
for ((i = 0; i < 300; i++)); do
  [[ -s $folder/link ]] && break
  sleep 0.1
done
link=$(head -n 1 "$folder/link")
[[ $link == *'/#token='* ]] || { cat "$folder/server.log"; exit 1; }

"$python" "$source/browser/run.py" --base_url "${link%%/#*}" --token "${link##*token=}" \
  --runs "$folder/runs" "$@"
"$python" "$source/browser/run.py" --needs_mock "$@"
