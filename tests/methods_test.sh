#!/usr/bin/env bash
# bench/methods.py against a stand-in for the program, which notes how it was called: who is run with
# what, what is not repeated, and what the table says of methods that fail or do not exist.
set -euo pipefail

source=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT

fail() {
  echo "methods_test: $*" >&2
  exit 1
}
# expect <what> <text> <pattern>
# shellcheck disable=SC2053  # the pattern is meant as one
expect() { [[ $2 == $3 ]] || fail "expected $1 like '$3', got '$2'"; }

cat >"$box/rlhf" <<'END'
#!/usr/bin/env bash
# A program without online_dpo, whose grpo fails; PPO's KL is 2 and 4 by seed.
if [[ $2 == --help ]]; then [[ $1 != online_dpo ]]; exit; fi
echo "$*" >>"${0%/*}/calls"
all=$*
output=${all#*--output_dir } seed=${all##*--seed }
output=${output%% *} seed=${seed%% *}
case $1 in
  demo)
    mkdir -p "$output/data"
    echo '{"prompt": "the film"}' >"$output/data/eval_prompts.jsonl"
    echo {} >"$output/summary.json"
    ;;
  grpo) echo 'rlhf: [--beta] expected more' >&2; exit 2 ;;
  eval)
    kl=0
    [[ $all != */ppo* ]] || kl=$((seed * 2))
    echo "{\"kl\": $kl, \"rewards/model/mean\": 1.5, \"rewards/demo_judge/mean\": 0.75," \
      '"mean_length": 12, "distinct_2": 0.25}'
    ;;
esac
END
chmod 755 "$box/rlhf"

compare() {
  python3 "$source/bench/methods.py" --rlhf "$box/rlhf" --task demo --seeds 1,2 --output "$box/out" \
    "$@" 2>"$box/err"
}

compare --methods sft,ppo,best_of_16,grpo,online_dpo,dpo >"$box/table" || fail "$(<"$box/err")"
table=$(<"$box/table")
expect "the model that all start from" "$table" "*| sft | 0.750 ± 0.000 | 0.00 ± 0.00 | 1.50 *"
expect "mean and deviation of 2 and 4" "$table" "*| ppo | 0.750 ± 0.000 | 3.00 ± 1.41 | *"
expect "log 16 - 15 / 16" "$table" "*| best_of_16 | 0.750 ± 0.000 | 1.84 ± 0.00 | *"
expect "a failure" "$table" "*| grpo | missing: rlhf: \[--beta\] expected more |*"
expect "what is not there" "$table" "*| online_dpo | missing: this program has no \`online_dpo\` |*"
expect "settings" "$table" "*| dpo | \`dpo --learning_rate 2e-4\` |*"
cmp -s "$box/table" "$box/out/demo/methods.md" || fail "another table in the file"
python3 - "$box/out/demo" <<'END' || fail "json or picture"
import json, sys, xml.dom.minidom
out = json.load(open(sys.argv[1] + "/methods.json"))
assert [m["name"] for m in out["methods"]] == [
    "sft", "ppo", "grpo", "best_of_16", "online_dpo", "dpo"]  # by family
texts = [t.firstChild.data for t in xml.dom.minidom.parse(
    sys.argv[1] + "/methods.svg").getElementsByTagName("text")]
assert {"sft", "ppo", "best_of_16", "dpo"} <= set(texts) and "grpo" not in texts, texts
END
calls=$(<"$box/calls")
expect "preparing once a seed" "$(grep -c '^demo' "$box/calls")" 2
expect "samples to be judged" "$calls" "*eval *--judge_completions*seed1/best_of_16/completions.jsonl*"
expect "what offline methods read" "$calls" "*dpo *--dataset_name *seed2/models/data/pairs.jsonl*"

rm "$box/calls"
compare --methods sft,ppo,dpo >"$box/again" || fail "$(<"$box/err")"
[[ ! -e $box/calls ]] || fail "expected nothing to be repeated, got $(<"$box/calls")"
expect "the same table" "$(grep '^| ppo' "$box/again")" "$(grep '^| ppo' "$box/table")"

if compare --methods nothing >"$box/again"; then fail "expected a refusal of a method"; fi
expect "a refusal" "$(<"$box/err")" "methods.py: \[--methods\] expected some of sft,*, got nothing"
