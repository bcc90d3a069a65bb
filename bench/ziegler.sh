#!/usr/bin/env bash
# The two curves of Ziegler et al. 2019 on the demo's model: a KL coefficient that finds its target,
# and a reward model and a value function that learn. From nothing to plots in ten minutes on two
# cores; docs/ziegler.md says what is to be seen.
#
#   bench/ziegler.sh [FOLDER] [SEED...]     default: runs/ziegler 1 2
#
# What is in FOLDER already is kept. RLHF names the program, default: the launcher.
set -euo pipefail
cd "$(dirname "$0")/.."
rlhf=${RLHF:-./rlhf}
out=${1:-runs/ziegler}
(($# == 0)) || shift
(($# > 0)) || set -- 1 2
seeds=("$@")

is_done() {
  [[ -f $1/summary.json ]] || { rm -rf "$1" && false; }  # what a run that was stopped has left
}

for seed in "${seeds[@]}"; do
  demo=$out/demo$seed reward=$out/reward$seed ppo=$out/ppo$seed
  is_done "$demo" || "$rlhf" demo --quick --seed "$seed" --output_dir "$demo"
  is_done "$reward" || "$rlhf" reward --seed "$seed" --model_name_or_path "$demo/sft" \
    --dataset_name "$demo/data/pairs.jsonl" --eval_dataset_name "$demo/data/pairs_val.jsonl" \
    --num_train_epochs 3 --per_device_train_batch_size 32 \
    --learning_rate 1e-3 --min_learning_rate 0 --lr_scheduler_type linear --warmup_steps 0 \
    --output_dir "$reward"
  # The paper's settings but for what a run of 1,000,000 episodes and a model of 124 million
  # parameters ask for: episodes, the controller's horizon, the learning rate; and the demo's texts
  # end with the end token, not with a full stop.
  is_done "$ppo" || "$rlhf" ppo --preset oai --seed "$seed" --model_name_or_path "$demo/sft" \
    --reward_model_path "$reward" --normalize_reward_model reference \
    --dataset_name "$demo/data/prompts.jsonl" \
    --total_episodes 57600 --episodes_per_update 96 --per_device_train_batch_size 96 \
    --kl_horizon 960 --learning_rate 5e-4 --output_dir "$ppo"
done

runs=("${seeds[@]/#/$out/ppo}")
"$rlhf" report "${runs[@]}" --output "$out/ppo.html"
"$rlhf" report "${seeds[@]/#/$out/reward}" --output "$out/reward.html"
python3 bench/report_chart.py "$out/ppo.html" "$out" \
  objective/kl=ziegler_kl objective/kl_coef=ziegler_kl_coef \
  val/explained_variance=ziegler_explained_variance
python3 bench/report_chart.py "$out/reward.html" "$out" loss=ziegler_reward_loss
python3 bench/ziegler_claims.py "$out" "${seeds[@]}"
