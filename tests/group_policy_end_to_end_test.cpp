// `rlhf reinforce`, `rloo`, `grpo` and `online_dpo` as processes: what a run leaves, resuming,
// presets, refusals.
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

class GroupPolicyEndToEnd : public Models {
 protected:
  static Arguments call(const std::string& command, const std::string& output,
                        const Arguments& more = {}) {
    return episodes(command, output,
                    kRewardFunction + Arguments{"--num_generations", "4"} + kShort + more);
  }
};

TEST_F(GroupPolicyEndToEnd, EachLeavesAModelMetricsAndAReport) {
  for (const std::string command : {"reinforce", "rloo", "grpo"}) {
    SCOPED_TRACE(command);
    const Finished done = rlhf(call(command, command, reward_model()));
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_NE(done.err.find("memory: policy "), std::string::npos) << done.err;
    EXPECT_NE(done.out.find("score "), std::string::npos) << done.out;
    EXPECT_TRUE(fs::exists(at(command) / "model.safetensors"));
    EXPECT_TRUE(fs::exists(at(command) / "report.html"));
    EXPECT_EQ(summary_of(command)["episodes"], 32);
    const json line = metrics_of(command).at(0);
    expect_keys(line, {"reward", "reward_std", "frac_reward_zero_std", "rewards/model/mean", "kl",
                       "entropy", "completions/mean_length", "completions/clipped_ratio",
                       "clip_ratio/region_mean"});
  }
}

TEST_F(GroupPolicyEndToEnd, AResumedRunIsTheSame) {
  expect_the_same_resumed(
      "whole", 2,
      call("grpo", "whole",
           {"--save_steps", "2", "--dynamic_sampling", "2", "--loss_type", "dapo"}));
}

TEST_F(GroupPolicyEndToEnd, PresetsOfReinforce) {
  for (const std::string preset : {"reinforce++", "reinforce++-baseline"}) {
    const Finished done = rlhf(call("reinforce", "preset", {"--preset", preset}));
    EXPECT_EQ(done.code, 0) << done.err;
    const json flags = flags_of("preset");
    EXPECT_EQ(flags["whiten_advantages"], true);
    EXPECT_EQ(flags["loss_reduction"], "token_mean");
  }
  expect_refused(call("reinforce", "out", {"--preset", "ppo"}), "[--preset]");
}

TEST_F(GroupPolicyEndToEnd, OnlineDpoLogsWhatTrlDoes) {
  expect_the_same_resumed(
      "online", 2,
      call("online_dpo", "online",
           reward_model() + Arguments{"--save_steps", "2", "--use_peft", "--lora_r", "2"}),
      {"adapter_model.safetensors"});
  const json line = metrics_of("online").at(0);
  expect_keys(line, {"loss", "objective/kl", "objective/entropy", "objective/non_score_reward",
                     "objective/rlhf_reward", "objective/scores", "objective/scores_margin",
                     "rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins",
                     "logps/chosen", "logps/rejected", "val/contain_eos_token", "beta", "reward",
                     "rewards/model/mean", "completions/mean_length", "frac_reward_zero_std"});
  EXPECT_NEAR(line["loss"], 0.6931472, 1e-6);
  expect_refused(call("online_dpo", "out", {"--loss_type", "exo"}), "[--loss_type]");
  expect_refused(call("online_dpo", "out", {"--steps_per_generation", "3"}), "at most the 2 pairs");
}

TEST_F(GroupPolicyEndToEnd, Refusals) {
  expect_refused(call("grpo", "out", {"--num_generations", "1"}), "[--num_generations]");
  expect_refused(call("rloo", "out", {"--num_generations", "3"}), "divide the 8 episodes");
  expect_refused(call("grpo", "out", {"--steps_per_generation", "9"}), "[--steps_per_generation]");
  expect_refused(call("grpo", "out", {"--top_k", "5"}), "[--top_k] expected no filter");
  expect_refused(call("grpo", "out", {"--delta", "1.1"}), "[--delta]");
  expect_refused(call("reinforce", "out", {"--num_iterations", "2"}), "[--num_iterations]");
  expect_refused(call("grpo", "out", {"--loss_type", "ppo"}), "[--loss_type]");
}

}  // namespace
}  // namespace rlhf::end_to_end
