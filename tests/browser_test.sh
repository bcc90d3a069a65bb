#!/usr/bin/env bash
# The pages of `rlhf serve` in a real browser, against a real server: Debian's chromium, driven by
# Debian's selenium. Left out (exit code 77) where they are not installed.
# Usage: tests/browser_test.sh <the program rlhf>
set -euo pipefail

program=$1
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

"$program" demo --quick --output_dir "$folder/runs/demo" >"$folder/demo.log" 2>&1 ||
  { tail -n 20 "$folder/demo.log"; exit 1; }
head -n 200 "$folder/runs/demo/data/prompts.jsonl" >"$folder/prompts.jsonl"
"$program" serve --model_name_or_path "$folder/runs/demo/sft" --data_dir "$folder/data" \
  --runs_dir "$folder/runs" --prompts "$folder/prompts.jsonl" --port 0 --max_new_tokens 32 \
  --ahead 32 >"$folder/link" 2>"$folder/server.log" &
server=$!
for ((i = 0; i < 300; i++)); do
  [[ -s $folder/link ]] && break
  sleep 0.1
done
link=$(head -n 1 "$folder/link")
[[ $link == *'/#token='* ]] || { cat "$folder/server.log"; exit 1; }

"$python" "$source/browser/run.py" --base_url "${link%%/#*}" --token "${link##*token=}" \
  --runs "$folder/runs"
