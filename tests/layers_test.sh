#!/usr/bin/env bash
# Proves that tests/layers.cmake can fail: each planted violation must be reported at its line.
set -euo pipefail

source=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

fail() {
  echo "layers_test: $*" >&2
  exit 1
}

# file <path> <line>...
file() {
  mkdir -p "$(dirname "$tree/$1")"
  printf '%s\n' "${@:2}" >"$tree/$1"
}

sound_tree() {
  rm -rf "${tree:?}"/*
  file kernels/device.h "#pragma once"
  file kernels/memory.h '#include "kernels/device.h"'
  file kernels/philox.h '#include "kernels/device.h"'
  file kernels/gelu.h '#include "kernels/philox.h"'
  file kernels/cpu/memory.cpp '#include "kernels/memory.h"'
  file kernels/cpu/gelu.cpp '#include "kernels/gelu.h"' '#include "kernels/cpu/support/tile.h"'
  file kernels/cpu/support/tile.h "// [ an unbalanced bracket; and a semicolon"
  file kernels/cuda/memory.cu '#include "kernels/memory.h"' '#include "kernels/cuda/support/gpu.h"'
  file kernels/cuda/gelu.cu '#include "kernels/gelu.h"' '#include "kernels/cuda/support/gpu.h"'
  file kernels/cuda/support/gpu.h '#include "kernels/cuda/emulator.h"' '#include "kernels/device.h"'
  file kernels/cuda/emulator.h '#include "kernels/cuda/emulator/fiber.h"'
  file kernels/cuda/emulator/fiber.h "#pragma once"
  file core/tensor.h '#include "kernels/device.h"'
  file core/ops.h '#include "core/tensor.h"'
  file core/ops/gelu.cpp '#include "core/ops.h"' '#include "kernels/gelu.h"'
  file nn/layers.h '#include "core/ops.h"'
  file data/shards.h '#include <vector>' '#include "core/tensor.h"' '#include "kernels/philox.h"'
  file rl/run/metrics.h '#include "data/shards.h"' '#include "nn/layers.h"'
  file apps/main.cpp '#include "rl/run/metrics.h"'
  file tests/cases/gelu.cpp '#include "kernels/gelu.h"'
}

check() { cmake -DROOT="$tree" -P "$source/layers.cmake" 2>&1; }

# rejects <expected start of a line>: the tree must fail, and say so
rejects() {
  local said
  if said=$(check); then fail "expected a violation \"$1\", got none"; fi
  grep -qF -- "$1" <<<"$said" || fail "expected \"$1\", got: $said"
}

sound_tree
said=$(check) || fail "expected a sound tree to pass, got: $said"

# planted <path> <line number> <include>: the file gets the include at that line
planted() {
  sound_tree
  { for ((i = 1; i < $2; i++)); do echo "// x; [$i"; done; echo "#include \"$3\""; } >"$tree/$1"
  rejects "$1:$2: includes \"$3\""
}

planted kernels/gelu.h 3 kernels/gelu.h
planted kernels/gelu.h 1 core/tensor.h
planted kernels/cpu/gelu.cpp 2 core/tensor.h
planted kernels/cuda/gelu.cu 2 kernels/cpu/support/tile.h
planted kernels/cuda/gelu.cu 2 core/tensor.h
planted kernels/cpu/gelu.cpp 2 kernels/cuda/support/gpu.h
planted kernels/cuda/emulator/fiber.h 1 kernels/cuda/support/gpu.h
planted core/tensor.h 5 kernels/cpu/support/tile.h
planted core/tensor.h 5 core/ops.h
planted core/ops.h 1 nn/layers.h
planted core/ops/gelu.cpp 4 kernels/cpu/support/tile.h
planted data/shards.h 2 nn/layers.h
planted data/shards.h 2 core/ops.h
planted data/shards.h 2 kernels/gelu.h
planted nn/layers.h 9 data/shards.h
planted nn/layers.h 9 rl/run/metrics.h
planted rl/run/metrics.h 2 kernels/cpu/support/tile.h

sound_tree
file apps/main.cpp "" '  #  include "metrics.h"'
rejects 'apps/main.cpp:2: "metrics.h" is not a path from the root'
sound_tree
file kernels/other/x.h ""
rejects "kernels/other/x.h:1: no rule"

for missing in kernels/gelu.h kernels/cpu/gelu.cpp kernels/cuda/gelu.cu tests/cases/gelu.cpp; do
  sound_tree
  rm "$tree/$missing"
  rejects "$missing:1: missing"
done
echo "layers_test: every planted violation was found"
