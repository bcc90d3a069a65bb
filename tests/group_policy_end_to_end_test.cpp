// `rlhf reinforce`, `rloo`, `grpo` and `online_dpo` as processes: what a run leaves, resuming,
// presets, refusals.
#include <algorithm>

#include "tests/end_to_end.h"

namespace rlhf::end_to_end {
namespace {

json json_at(const fs::path& path) { return json::parse(content_of(path)); }

class GroupPolicyEndToEnd : public Models {
 protected:
  static Arguments call(const std::string& command, const std::string& output,
                        const Arguments& more = {}) {
    return Arguments{command,
                     "--model_name_or_path",
                     at("sft"),
                     "--reward_funcs",
                     "length:target=4",
                     "--dataset_name",
                     at("prompts.jsonl"),
                     "--output_dir",
                     at(output),
                     "--total_episodes",
                     "32",
                     "--generation_batch_size",
                     "8",
                     "--num_generations",
                     "4",
                     "--max_completion_length",
                     "8",
                     "--eval_prompts",
                     "4"} +
           more;
  }
  static void expect_refused(const Arguments& arguments, const std::string& part) {
    const Finished done = rlhf(arguments);
    EXPECT_EQ(done.code, 2) << done.err;
    EXPECT_NE(done.err.find(part), std::string::npos) << done.err;
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
  }
};

TEST_F(GroupPolicyEndToEnd, EachLeavesAModelMetricsAndAReport) {
  for (const std::string command : {"reinforce", "rloo", "grpo"}) {
    const Finished done = rlhf(call(command, command, {"--reward_model_path", at("rm")}));
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_NE(done.err.find("memory: policy "), std::string::npos) << done.err;
    EXPECT_NE(done.out.find("score "), std::string::npos) << done.out;
    EXPECT_TRUE(fs::exists(at(command) / "model.safetensors"));
    EXPECT_TRUE(fs::exists(at(command) / "report.html"));
    EXPECT_EQ(json_at(at(command) / "summary.json")["episodes"], 32);
    const std::string lines = content_of(at(command) / "metrics.jsonl");
    const json line = json::parse(lines.substr(0, lines.find('\n')));
    for (const char* name :
         {"reward", "reward_std", "frac_reward_zero_std", "rewards/model/mean", "kl", "entropy",
          "completions/mean_length", "completions/clipped_ratio", "clip_ratio/region_mean"}) {
      EXPECT_TRUE(line.contains(name)) << command << " " << name;
    }
  }
}

TEST_F(GroupPolicyEndToEnd, AResumedRunIsTheSame) {
  const Arguments options{"--save_steps", "2", "--dynamic_sampling", "2", "--loss_type", "dapo"};
  ASSERT_EQ(rlhf(call("grpo", "whole", options)).code, 0);
  const std::string model = content_of(at("whole") / "model.safetensors");
  const fs::path from = at("whole") / "checkpoint-2";
  ASSERT_TRUE(fs::exists(from));
  const Finished rest =
      rlhf(call("grpo", "whole", options + Arguments{"--resume_from_checkpoint", from}));
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(content_of(at("whole") / "model.safetensors"), model);
}

TEST_F(GroupPolicyEndToEnd, PresetsOfReinforce) {
  for (const std::string preset : {"reinforce++", "reinforce++-baseline"}) {
    const Finished done = rlhf(call("reinforce", "preset", {"--preset", preset}));
    EXPECT_EQ(done.code, 0) << done.err;
    const json flags = json_at(at("preset") / "run_config.json")["flags"];
    EXPECT_EQ(flags["whiten_advantages"], true);
    EXPECT_EQ(flags["loss_reduction"], "token_mean");
  }
  expect_refused(call("reinforce", "out", {"--preset", "ppo"}), "[--preset]");
}

TEST_F(GroupPolicyEndToEnd, OnlineDpoLogsWhatTrlDoes) {
  const Arguments options{
      "--reward_model_path", at("rm"), "--save_steps", "2", "--use_peft", "--lora_r", "2"};
  const Finished done = rlhf(call("online_dpo", "online", options));
  ASSERT_EQ(done.code, 0) << done.err;
  const std::string lines = content_of(at("online") / "metrics.jsonl");
  const json line = json::parse(lines.substr(0, lines.find('\n')));
  for (const char* name :
       {"loss", "objective/kl", "objective/entropy", "objective/non_score_reward",
        "objective/rlhf_reward", "objective/scores", "objective/scores_margin", "rewards/chosen",
        "rewards/rejected", "rewards/accuracies", "rewards/margins", "logps/chosen",
        "logps/rejected", "val/contain_eos_token", "beta", "reward", "rewards/model/mean",
        "completions/mean_length", "frac_reward_zero_std"}) {
    EXPECT_TRUE(line.contains(name)) << name;
  }
  EXPECT_NEAR(line["loss"], 0.6931472, 1e-6);
  const std::string adapter = content_of(at("online") / "adapter_model.safetensors");
  const Finished rest =
      rlhf(call("online_dpo", "online",
                options + Arguments{"--resume_from_checkpoint", at("online") / "checkpoint-2"}));
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(content_of(at("online") / "adapter_model.safetensors"), adapter);
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
