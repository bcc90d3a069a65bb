// `rlhf reward_conditioned` and `rlhf hir` as processes: what a run leaves, resuming, that the
// model is used by plain `rlhf generate`, refusals.
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

class ConditionEndToEnd : public Models {
 protected:
  static Arguments call(const std::string& command, const std::string& output,
                        const Arguments& more = {}) {
    return episodes(command, output,
                    reward_model() + kShort +
                        Arguments{"--generation_batch_size", "16", "--steps_per_generation", "4"} +
                        more);
  }
  static Arguments conditioned(const std::string& output, const Arguments& more = {}) {
    return call("reward_conditioned", output, Arguments{"--conditions", "dull |fine "} + more);
  }
  static Arguments hindsight(const std::string& output, const Arguments& more = {}) {
    write("instructions.jsonl",
          "{\"instruction\": \"dull \", \"max\": 0}\n{\"instruction\": \"fine \", \"min\": 0}\n");
    return call("hir", output, Arguments{"--instructions", at("instructions.jsonl")} + more);
  }
};

TEST_F(ConditionEndToEnd, ConditionsLeaveAModelThatGenerateSteers) {
  const Finished done = rlhf(conditioned("rc"));
  ASSERT_EQ(done.code, 0) << done.err;
  const json summary = summary_of("rc");
  EXPECT_EQ(summary["score_under"].size(), 2u);
  EXPECT_TRUE(summary.contains("score_plain_before"));
  EXPECT_NE(content_of(at("rc") / "report.html").find("What each condition asks for"),
            std::string::npos);
  expect_keys(metrics_of("rc").at(0), {"loss/nll", "loss/kl", "entropy", "pool/size", "reward"});
  const Finished text =
      rlhf({"generate", "--model_name_or_path", at("rc"), "--prompt", "fine the film"});
  EXPECT_EQ(text.code, 0) << text.err;
}

TEST_F(ConditionEndToEnd, InstructionsAreFollowedAndReported) {
  const Finished done = rlhf(hindsight("hir"));
  ASSERT_EQ(done.code, 0) << done.err;
  const json summary = summary_of("hir");
  EXPECT_TRUE(summary.contains("followed_before") && summary.contains("followed_after"));
  EXPECT_NE(content_of(at("hir") / "report.html").find("followed after"), std::string::npos);
}

TEST_F(ConditionEndToEnd, InstructionsMayBeTextsOverTheScoresOfTheStart) {
  ASSERT_EQ(rlhf(call("hir", "hir", {"--conditions", "dull |fine "})).code, 0);
  const json under = summary_of("hir")["score_under"];
  EXPECT_TRUE(under.size() == 2 && under.contains("dull ") && under.contains("fine ")) << under;
}

TEST_F(ConditionEndToEnd, GivenCompletionsAreLearnt) {
  write("judged.jsonl",
        "{\"prompt\": \"the film\", \"completion\": \" is fine.\", \"reward\": 1}\n"
        "{\"prompt\": \"the film\", \"completion\": \" is dull.\", \"reward\": -1}\n");
  ASSERT_EQ(rlhf(conditioned("given", {"--completions_dataset", at("judged.jsonl")})).code, 0);
  EXPECT_EQ(metrics_of("given").at(0)["pool/size"], 2);
  // Without the column the run's own judge says it.
  ASSERT_EQ(rlhf(conditioned("given", {"--completions_dataset", at("sft.jsonl")})).code, 0);
  EXPECT_EQ(metrics_of("given").at(0)["pool/size"], 36);
}

TEST_F(ConditionEndToEnd, AdaptersLearnIt) {
  const Finished done = rlhf(conditioned("lora", {"--use_peft", "true"}));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_TRUE(fs::exists(at("lora") / "adapter_model.safetensors"));
}

TEST_F(ConditionEndToEnd, AResumedRunIsTheSame) {
  const Arguments often{"--save_steps", "1"};
  expect_the_same_resumed("whole", 1, conditioned("whole", often));
  expect_the_same_resumed("whole", 1, hindsight("whole", often));
}

TEST_F(ConditionEndToEnd, Refusals) {
  expect_refused(conditioned("out", {"--conditions", "fine "}),
                 "[--conditions] expected at least 2");
  expect_refused(conditioned("out", {"--conditions", "fine |fine "}), "twice");
  expect_refused(conditioned("out", {"--conditions", "fine |~"}), "the vocabulary can spell");
  expect_refused(conditioned("out", {"--conditions", "fine |the film is the film "}),
                 "[--conditions] expected \"the film is the film \" before prompt 1 to leave 8 of");
  expect_refused(conditioned("out", {"--kl_direction", "up"}), "[--kl_direction]");
  expect_refused(conditioned("out", {"--completions_dataset", at("none.jsonl")}), "none.jsonl");
  expect_refused(hindsight("out", {"--conditions", "dull |fine "}),
                 "[--conditions] expected none beside --instructions");
  expect_refused(call("hir", "out", {"--conditions", "fine |~"}), "[--conditions]");
  write("gap.jsonl",
        "{\"instruction\": \"dull \", \"max\": 0}\n{\"instruction\": \"fine \", \"min\": 1}\n");
  expect_refused(call("hir", "out", {"--instructions", at("gap.jsonl")}),
                 "gap.jsonl:2] expected a band");
  write("one.jsonl", "{\"instruction\": \"fine \"}\n");
  expect_refused(call("hir", "out", {"--instructions", at("one.jsonl")}),
                 "[--instructions] expected at least 2");
}

}  // namespace
}  // namespace rlhf::end_to_end
