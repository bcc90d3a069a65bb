// `rlhf best_of_n` and `rlhf raft` as processes: what a run leaves, who reads it, resuming,
// refusals.
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

class BestOfNEndToEnd : public Models {
 protected:
  static Arguments best_of_n(const std::string& output, const Arguments& more = {}) {
    return run_of("best_of_n", "sft", "prompts.jsonl", output) + reward_model() +
           Arguments{"--num_generations", "6"} + kShort + more;
  }
  static Arguments raft(const std::string& output, const Arguments& more = {}) {
    return episodes("raft", output,
                    reward_model() + Arguments{"--num_generations", "4"} + kShort + more);
  }
};

TEST_F(BestOfNEndToEnd, LeavesWhatTrainingReads) {
  const Finished done = rlhf(best_of_n("best", {"--judge_model_path", at("rm")}));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find("judge above 0"), std::string::npos) << done.out;
  const json summary = summary_of("best");
  EXPECT_EQ(summary["prompts"], 36);
  const int64_t empty = summary["empty"], completions = summary["completions"];
  EXPECT_LT(empty, 18);
  EXPECT_GE(completions, 36 - empty);
  std::vector<int64_t> sizes;
  double last = -1e9;
  for (const json& point : summary["curve"]) {
    sizes.push_back(point["n"]);
    EXPECT_GE(point["score"].get<double>(), last) << "more to choose from is never worse";
    last = point["score"];
  }
  EXPECT_EQ(sizes, (std::vector<int64_t>{1, 2, 4, 6}));
  EXPECT_NEAR(summary["curve"][3]["judge"], last, 1.0) << "judged by itself, less the penalty";
  EXPECT_NE(content_of(at("best") / "report.html").find("Score against KL"), std::string::npos);
  const json line = metrics_of("best").at(0);
  expect_keys(line, {"reward", "best_of_n/best_reward", "frac_reward_zero_std",
                     "rewards/model/mean", "completions/mean_length"});
  const Arguments small{"--max_steps", "2"};
  for (const Arguments& reader :
       {Arguments{"sft", "--dataset_name", at("best") / "completions.jsonl"},
        Arguments{"dpo", "--dataset_name", at("best") / "preferences.jsonl"},
        Arguments{"reward", "--dataset_name", at("best") / "preferences.jsonl"}}) {
    const Finished read = rlhf(reader + small +
                               Arguments{"--model_name_or_path", at("sft"), "--output_dir",
                                         at("reads_" + reader.front())});
    EXPECT_EQ(read.code, 0) << read.err;
  }
}

TEST_F(BestOfNEndToEnd, BatchesAndThreadsChangeNoByte) {
  ASSERT_EQ(rlhf(best_of_n("whole"), 2).code, 0);
  ASSERT_EQ(rlhf(best_of_n("parts", {"--per_device_eval_batch_size", "4"}), 1).code, 0);
  for (const char* name : {"completions.jsonl", "preferences.jsonl"}) {
    EXPECT_EQ(content_of(at("parts") / name), content_of(at("whole") / name)) << name;
  }
  EXPECT_EQ(summary_of("parts")["curve"], summary_of("whole")["curve"]);
}

TEST_F(BestOfNEndToEnd, FunctionsThatTieLeaveNoPreferences) {
  const Finished done =
      rlhf({"best_of_n", "--model_name_or_path", at("sft"), "--reward_funcs", "keyword:nowhere",
            "--missing_eos", "keep", "--dataset_name", at("prompts.jsonl"), "--output_dir",
            at("tied"), "--num_generations", "2", "--max_completion_length", "4"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(summary_of("tied")["tied"], 36);
  EXPECT_EQ(content_of(at("tied") / "preferences.jsonl"), "");
}

TEST_F(BestOfNEndToEnd, RaftLeavesAModelMetricsAndAReport) {
  for (const Arguments& more :
       {Arguments{}, Arguments{"--selection", "batch", "--beta", "0.1"}, Arguments{"--use_peft"}}) {
    const Finished done = rlhf(raft("raft", more));
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(summary_of("raft")["episodes"], 32);
    const json line = metrics_of("raft").at(0);
    expect_keys(line, {"reward", "raft/selected_reward", "nll_loss", "kl", "entropy",
                       "frac_reward_zero_std", "objective/rlhf_reward"});
    EXPECT_NE(content_of(at("raft") / "report.html").find("Likelihood of what is kept"),
              std::string::npos);
  }
  EXPECT_TRUE(fs::exists(at("raft") / "adapter_model.safetensors"));
}

TEST_F(BestOfNEndToEnd, AResumedRaftIsTheSame) {
  expect_the_same_resumed("resumed", 2,
                          raft("resumed", {"--save_steps", "2", "--num_iterations", "2"}));
}

TEST_F(BestOfNEndToEnd, Refusals) {
  expect_refused(best_of_n("out", {"--num_generations", "1"}), "[--num_generations]");
  expect_refused(best_of_n("out", {"--max_completion_length", "24"}), "[prompts]");
  expect_refused(best_of_n("out", {"--length_penalty", "1e7"}), "[--length_penalty]");
  expect_refused(best_of_n("out", {"--stop_token", "two words"}), "[--stop_token]");
  expect_refused(best_of_n("out", {"--judge_model_path", at("sft")}), "sft");
  expect_refused(best_of_n("out", {"--dataset_name", at("nowhere.jsonl")}), "nowhere.jsonl");
  expect_refused(best_of_n("out", {"--reward_funcs", "nonsense"}), "[--reward_funcs]");
  expect_refused({"best_of_n", "--model_name_or_path", at("sft"), "--dataset_name",
                  at("prompts.jsonl"), "--output_dir", at("out")},
                 "expected a reward model or --reward_funcs, got neither");
  expect_refused(raft("out", {"--num_generations", "1"}), "[--num_generations]");
  expect_refused(raft("out", {"--steps_per_generation", "3"}), "expected at most the 2");
  expect_refused(raft("out", {"--selection", "best"}), "[--selection]");
  expect_refused(raft("out", {"--top_k", "5", "--beta", "0.1"}), "[--top_k] expected no filter");
}

}  // namespace
}  // namespace rlhf::end_to_end
