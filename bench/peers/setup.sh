#!/usr/bin/env bash
# bench/peers/setup.sh: what the peers need, from PyPI, in virtual environments of their own. TRL
# 0.11 is the last with the classic PPO trainers beside PPOv2 and works with older transformers only.
#
#   bench/peers/setup.sh build/peers     makes build/peers/torch and build/peers/trl
set -euo pipefail

if (($# != 1)); then
  printf 'setup.sh: [arguments] expected a folder, got %d of them\n' $# >&2
  exit 2
fi
mkdir -p "$1"

# environment <name> <packages...>
environment() {
  local folder=$1
  shift
  [[ -x $folder/bin/python ]] || python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --upgrade "$@"
  "$folder/bin/python" -c 'import torch, transformers
print(f"torch {torch.__version__}, transformers {transformers.__version__}")'
}

environment "$1/torch" torch transformers numpy gymnasium tiktoken
environment "$1/trl" torch trl==0.11.0 transformers==4.45.2 accelerate==0.34.2 datasets==3.0.0 rich
