#!/usr/bin/env bash
# bench/gpu.sh: all that is to be known of this program on a GPU, in one command of about ten
# minutes: tests, memory and race checks, every kernel beside cuBLASLt, cuDNN and PyTorch, the
# training step of GPT-2 124M, decoding and a PPO iteration beside PyTorch. Writes gpu.md (to read)
# and gpu.json (to compare).
#
#   bench/gpu.sh                               builds in build/gpu, runs all parts, writes to build/gpu
#   bench/gpu.sh --parts kernels,kernels_peer  only these (and the report)
#   bench/gpu.sh --pack tree                   builds here, for a machine that can build nothing
#   tree/gpu.sh --tree tree --output results   ... and runs there
#
# Peers need a python3 with PyTorch; without one they are left out, and the report says so. Ends with
# exit code 1 when a part failed.
set -uo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
all_parts=info,tests,ceilings,kernels,kernels_peer,ladder,train,train_peer,decode,decode_peer
all_parts+=,ppo,ppo_peer,sanitize
parts=$all_parts tree='' output='' pack=''
tests=(ladder_test mixed_precision_test recorder_test recorded_training_test sample_test
  sample_extremes_test log_prob_test device_tensor_test device_model_test gpt2_test resume_test
  attention_limits_test row_stride_test masters_test)
programs=(kernels_test "${tests[@]}" bench_kernels bench_ladder bench_train_step bench_decode
  bench_ppo_iteration rlhf)

fail() {
  printf 'gpu.sh: %s\n' "$*" >&2
  exit 2
}

usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
  printf '\nParts: %s\n' "$all_parts"
}

while (($#)); do
  case $1 in
    --help | -h) usage && exit ;;
    --parts | --tree | --output | --pack)
      (($# > 1)) || fail "[$1] expected a value, got none"
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    *) fail "[arguments] expected --parts, --tree, --output or --pack, got $1" ;;
  esac
done
for part in ${parts//,/ }; do
  [[ ,$all_parts, == *,$part,* ]] || fail "[--parts] expected some of $all_parts, got $part"
done

build() {
  local root=$here/..
  cmake -S "$root" --preset gpu >/dev/null || fail "[build] expected cmake to configure, see above"
  cmake --build "$root/build/gpu" --target "${programs[@]}" ||
    fail "[build] expected the programs to build, see above"
}

# What the programs link, our own layers among it, beside the C library and what belongs to the GPU's
# own machine.
libraries_of() {
  ldd "$@" | awk '$3 ~ /^\// { print $3 }' | sort -u |
    grep -vE '/(libc|libm|libdl|librt|libpthread|ld-linux[^/]*|libcuda)\.so'
}

# What a machine takes at a time.
most_mib=64

if [[ $pack ]]; then
  build
  mkdir -p "$pack/bin" "$pack/lib" || fail "[--pack] expected a folder to write to, got $pack"
  for program in "${programs[@]}"; do
    strip -o "$pack/bin/$program" "$here/../build/gpu/bin/$program"
  done
  for library in $(libraries_of "${programs[@]/#/$here/../build/gpu/bin/}"); do
    strip -o "$pack/lib/$(basename "$library")" "$(readlink -f "$library")"
  done
  cp "$here/gpu.sh" "$here"/gpu/*.py "$pack/"
  mkdir -p "$pack/tests" && cp -r "$here/../tests/data" "$pack/tests/"
  size=$(du -sm "$pack" | cut -f1)
  printf 'packed: %d MiB\n' "$size"
  ((size < most_mib)) || fail "[--pack] expected less than $most_mib MiB, got $size"
  exit
fi

if [[ $tree ]]; then
  tree=$(readlink -f "$tree")
  bin=$tree/bin scripts=$tree root=$tree
  # cuBLASLt and cuDNN: the toolkit's, or those that came with PyTorch.
  found=$(find /usr/local/cuda/lib64 /usr/local/cuda/lib -name 'libcublasLt.so.*' 2>/dev/null)
  found+=$(python3 -c 'import nvidia, os
for folder in nvidia.__path__:
    for where, _, files in os.walk(folder):
        if any(name.startswith(("libcublasLt.so", "libcudnn.so")) for name in files):
            print(os.path.join(where, "x"))' 2>/dev/null | sed 's/^/\n/')
  LD_LIBRARY_PATH=$tree/lib:$(grep . <<<"$found" | xargs -rn1 dirname | sort -u | paste -sd:)
  export LD_LIBRARY_PATH
else
  build
  bin=$here/../build/gpu/bin scripts=$here/gpu root=$here/..
fi
output=${output:-$here/../build/gpu/results}
mkdir -p "$output" || fail "[--output] expected a folder to write to, got $output"
output=$(readlink -f "$output")
cd "$root" || exit  # tests look for tests/data here
results=$output/results.jsonl checks=$output/checks.jsonl
nvidia-smi -L >/dev/null 2>&1 || fail "[GPU] expected one that nvidia-smi lists, got none"
# Tests pass a GPU by that they cannot use; this says why they cannot.
why=$("$bin/bench_kernels" --device=cuda --benchmark_list_tests=true 2>&1 >/dev/null) || fail "$why"

# check <what> <command...>: runs it, keeps its output in a log, notes how it ended.
check() {
  local what=$1 start=$SECONDS status log
  shift
  log=$output/${what//[^a-z_]/_}.log
  "$@" >"$log" 2>&1
  status=$?
  local last
  last=$(tail -n 3 "$log" | tr -d \"\\\\ | tr '\n' ' ')
  ((status)) && last="FAILED ($status): $last"
  printf '{"what": "%s, %d s", "result": "%s"}\n' "$what" $((SECONDS - start)) "$last" >>"$checks"
  printf '==== %s: %d s, exit code %d\n' "$what" $((SECONDS - start)) "$status"
}

peer() {
  if ! python3 -c 'import torch' 2>/dev/null; then
    printf '{"what": "%s", "result": "left out: no python3 with PyTorch"}\n' "$1" >>"$checks"
    return
  fi
  check "$1" timeout 200 python3 "$scripts/$2" "${@:3}" --output "$results"
}

part_info() {
  local torch
  torch=$(python3 -c 'import torch; print(torch.__version__)' 2>/dev/null || echo none)
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.mem --format=csv,noheader |
    awk -F', ' -v date="$(date -u +%F)" -v torch="$torch" '{
      printf "{\"GPU\": \"%s\", \"driver\": \"%s\", \"memory\": \"%s\", \"clocks at rest\": \"%s, %s\", ",
             $1, $2, $3, $4, $5
      printf "\"date\": \"%s\", \"PyTorch\": \"%s\"}\n", date, torch }' >"$output/info.json"
}
part_tests() {
  check "kernel tests" timeout 150 "$bin/kernels_test" --gtest_filter='*_cuda_*' --gtest_brief=1
  local test
  for test in "${tests[@]}"; do
    check "${test//_/ }" timeout 60 "$bin/$test" --gtest_brief=1
  done
}
part_sanitize() {
  # One shape of each family under memcheck, a few under racecheck: both slow a kernel down a lot.
  local tool
  for tool in memcheck racecheck; do
    check "$tool" timeout 100 compute-sanitizer --tool $tool --error-exitcode 9 \
      "$bin/kernels_test" --gtest_filter='*reference_cuda_*' --gtest_brief=1
  done
}
part_ceilings() { peer "ceilings" ceilings.py; }
part_kernels() {
  check "kernels" timeout 150 "$bin/bench_kernels" --device=cuda --benchmark_min_time=0.02 \
    --benchmark_out="$output/kernels.json" --benchmark_out_format=json
}
part_kernels_peer() { peer "kernels of PyTorch" kernels_peer.py --kernels "$output/kernels.json"; }
part_ladder() {
  check "ladder" timeout 60 "$bin/bench_ladder"
  grep '^{' "$output/ladder.log" >>"$results"
}
ours() {
  check "$1" timeout 100 "$bin/$2" --device=cuda "${@:3}"
  grep '^{' "$output/${1//[^a-z_]/_}.log" >>"$results"
}
part_train() {
  ours "training step" bench_train_step
  ours "training step, kernel by kernel" bench_train_step --batch 4 --eager
}
part_train_peer() { peer "training step of PyTorch" train_peer.py; }
part_decode() { ours "decoding" bench_decode; }
part_decode_peer() { peer "decoding of PyTorch" decode_peer.py; }
part_ppo() {
  ours "ppo iteration" bench_ppo_iteration
  ours "ppo iteration, kernel by kernel" bench_ppo_iteration --rounds 2 --eager
}
part_ppo_peer() { peer "ppo iteration of PyTorch" ppo_peer.py; }

rm -f "$results" "$checks"
start=$SECONDS
for part in ${all_parts//,/ }; do
  if [[ ,$parts, == *,$part,* ]]; then "part_$part"; fi
done
python3 "$scripts/report.py" --results "$output" --output "$output" ||
  fail "[report] expected python3 to write it, see above"
printf 'all parts: %d s; %s\n' $((SECONDS - start)) "$output/gpu.md"
cat "$output/gpu.md"
! grep -qs '"result": "FAILED' "$checks"
