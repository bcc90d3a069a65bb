#!/usr/bin/env bash
# The launcher against stand-ins for the machine: its PATH holds the usual small tools and fakes of
# cmake, ctest, df, g++ and apt-get that note how they were called. So what it does on a bare, a
# full or a busy machine takes a second to see and touches nothing.
set -euo pipefail

source=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
chmod 755 "$box"
tree=$box/tree tools=$box/tools calls=$box/calls

fail() {
  echo "launcher_test: in \"$scene\": $*" >&2
  exit 1
}

fake() {
  { echo '#!/usr/bin/env bash'; cat; } >"$tools/$1"
  chmod 755 "$tools/$1"
}

# A fresh tree, and a machine that has all it needs.
scene() {
  scene=$1
  rm -rf "${tree:?}" "${tools:?}" "$calls"
  mkdir -p "$tree"/{cmake,kernels,core,nn,data,rl,serve,bench/measure,apps} "$tools"
  touch "$tree"/{CMakeLists.txt,CMakePresets.json,apps/a.cpp,apps/b.cpp} "$calls"
  cp "$source/rlhf" "$tree"
  local tool small=(bash env awk cat dirname find flock grep mkdir mv nproc readlink tail tee touch)
  for tool in "${small[@]}" sleep; do
    ln -s "$(command -v "$tool")" "$tools/$tool"
  done
  fake df <<<'printf "Avail\n%s\n" 9000000'
  fake g++ <<<'echo 12'
  fake ninja <<<''
  fake ccache <<<''
  fake apt-get <<<"echo \"apt-get \$*\" >>$calls; exit 100"
  fake ctest <<<"echo \"ctest \$*\" >>$calls; echo '100% tests passed'"
  # Configures (-S ... -B folder) or builds (--build folder) a program that tells how it was called.
  fake cmake <<END
if [[ \$1 == -S ]]; then
  echo configure >>$calls
  echo "CMAKE_HOME_DIRECTORY:INTERNAL=\$2" >"\$6/CMakeCache.txt"
  echo >"\$6/build.ninja"
else
  echo "build \$4" >>$calls
  echo '[1/2] Compiling'
  while [[ -e $box/hold ]]; do sleep 0.01; done
  mkdir -p "\$2/bin"
  {
    echo '#!/usr/bin/env bash'
    echo 'echo "pid \$\$ in \$PWD with \$*"; [[ \$* == --help ]] || exit 7'
  } >"\$2/bin/rlhf"
  [[ -x /bin/chmod ]] && /bin/chmod 755 "\$2/bin/rlhf"
  echo "built \$4" >>$calls
fi
END
}

# call <args>...: runs the launcher; leaves its output in $out, what it says in $err, and $status
call() {
  status=0
  PATH=$tools "$tree/rlhf" "$@" >"$box/out" 2>"$box/err" || status=$?
  out=$(<"$box/out")
  err=$(<"$box/err")
}

# expect <what> <text> <pattern>
# shellcheck disable=SC2053  # the pattern is meant as one
expect() { [[ $2 == $3 ]] || fail "expected $1 like '$3', got '$2'"; }
called() { expect "calls" "$(tr '\n' ' ' <"$calls")" "$1"; }

scene "a first and a second call"
cd "$box"
call generate --input "some file"
expect output "$out" "pid * in $box with generate --input some file"
expect "exit code" "$status" 7
expect messages "$err" "rlhf: building, step 1 of 2"
called "configure build rlhf built rlhf "
call chat
called "configure build rlhf built rlhf "
expect messages "$err" ""

scene "the program takes the launcher's process, so that signals reach it"
PATH=$tools "$tree/rlhf" gym >"$box/out" 2>/dev/null &
pid=$!
wait $pid || true
expect output "$(<"$box/out")" "pid $pid in *"

scene "an edited and a removed source, edited presets, a moved tree"
call chat
for change in "touch $tree/core/new.h" "rm $tree/apps/b.cpp" "touch $tree/apps/a.cpp"; do
  : >"$calls"
  sleep 0.02
  $change
  call chat
  called "build rlhf built rlhf "
done
: >"$calls"
sleep 0.02
touch "$tree/CMakePresets.json"
call chat
called "configure build rlhf built rlhf "
: >"$calls"
sleep 0.02
touch "$tree/apps/a.cpp"
call chat
called "build rlhf built rlhf "
mv "$tree" "$box/moved"
: >"$calls"
touch "$box/moved/apps/a.cpp"
PATH=$tools "$box/moved/rlhf" chat >/dev/null 2>&1 || true
called "configure build rlhf built rlhf "
rm -r "$box/moved"

scene "sources that do not compile"
call chat
mv "$tools/cmake" "$tools/cmake.good"
fake cmake <<<'printf "noise %s\n" {0..89}; echo "a.cpp:1: error"; exit 1'
sleep 0.02
touch "$tree/apps/a.cpp"
for attempt in first second; do
  call chat
  expect "exit code of the $attempt attempt" "$status" 1
  expect output "$out" ""
  expect messages "$err" "noise 71*a.cpp:1: error"$'\n'"rlhf: \[build\] *release/launcher.log"
done
mv "$tools/cmake.good" "$tools/cmake"
call chat
expect "exit code" "$status" 7

scene "another build folder, relative to the caller"
mkdir -p "$box/elsewhere"
cd "$box/elsewhere"
RLHF_BUILD_DIR=my_build call chat
expect output "$out" "pid * in $box/elsewhere with chat"
[[ -x $box/elsewhere/my_build/bin/rlhf && ! -e $tree/build ]] || fail "expected it in my_build"

scene "tests"
call test -R gemm
called "configure build all built all ctest --test-dir $tree/build/release *-R gemm "
expect output "$out" "100% tests passed"

scene "help"
call
expect output "$out" "pid * with --help"*"./rlhf test*"

scene "two calls at once"
wait_for() { until grep -qs "$1" "$2"; do sleep 0.01; done; }
touch "$box/hold"
PATH=$tools "$tree/rlhf" chat >/dev/null 2>&1 &
wait_for "build rlhf" "$calls"
{ wait_for "waiting" "$box/err"; rm "$box/hold"; } &
call chat
expect output "$out" "pid *"
expect messages "$err" "rlhf: waiting for another build in *"
called "configure build rlhf built rlhf "
wait || true

scene "a full disk"
fake df <<<'printf "Avail\n%s\n" 512000'
call chat
expect messages "$err" "rlhf: \[disk space\] expected at least 1 GB free for *, got 500 MB"
called ""

scene "a compiler that is too old"
fake g++ <<<'echo 10'
call chat
expect messages "$err" "rlhf: \[compiler\] expected g++ of version 12 or newer, got 10"
called ""

if ((EUID == 0)); then
  scene "a missing package, as root"
  rm "$tools/ninja"
  call chat
  called "apt-get update apt-get install -y --no-install-recommends ninja-build "
  expect messages "$err" "rlhf: installing ninja-build"$'\n'"rlhf: \[packages\] *launcher.log"

  scene "a missing package, neither root nor sudo"
  rm "$tools/ninja"
  chmod 777 "$tree"
  nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  err=$("${nobody[@]}" env PATH="$tools" "$tree/rlhf" chat 2>&1) && fail "expected it to fail"
  expect messages "$err" "rlhf: \[packages\] *; as root, run: apt-get update && apt-get install *"
  called ""

  scene "a folder that cannot be written to"
  err=$("${nobody[@]}" env PATH="$tools" "$tree/rlhf" chat 2>&1) && fail "expected it to fail"
  expect messages "$err" "rlhf: \[build folder\] *, got $tree/build/release"
fi
echo "launcher_test: passed"
