// `rlhf reward_conditioned` and `rlhf hir` as processes: what a run leaves, resuming, that the
// model is used by plain `rlhf generate`, refusals.
#include <algorithm>

#include "tests/end_to_end.h"

namespace rlhf::end_to_end {
namespace {

json json_at(const fs::path& path) { return json::parse(content_of(path)); }

class ConditionEndToEnd : public Models {
 protected:
  static Arguments call(const std::string& command, const std::string& output,
                        const Arguments& more = {}) {
    Arguments all{command,
                  "--model_name_or_path",
                  at("sft"),
                  "--reward_model_path",
                  at("rm"),
                  "--dataset_name",
                  at("prompts.jsonl"),
                  "--output_dir",
                  at(output),
                  "--total_episodes",
                  "32",
                  "--generation_batch_size",
                  "16",
                  "--steps_per_generation",
                  "4",
                  "--max_completion_length",
                  "8",
                  "--eval_prompts",
                  "4"};
    return all + more;
  }
  static Arguments conditioned(const std::string& output, const Arguments& more = {}) {
    return call("reward_conditioned", output, Arguments{"--conditions", "dull |fine "} + more);
  }
  static Arguments hindsight(const std::string& output, const Arguments& more = {}) {
    write("instructions.jsonl",
          "{\"instruction\": \"dull \", \"max\": 0}\n{\"instruction\": \"fine \", \"min\": 0}\n");
    return call("hir", output, Arguments{"--instructions", at("instructions.jsonl")} + more);
  }
  static void expect_refused(const Arguments& arguments, const std::string& part) {
    const Finished done = rlhf(arguments);
    EXPECT_EQ(done.code, 2) << done.err;
    EXPECT_NE(done.err.find(part), std::string::npos) << done.err;
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
  }
  static json first_line(const std::string& output) {
    const std::string lines = content_of(at(output) / "metrics.jsonl");
    return json::parse(lines.substr(0, lines.find('\n')));
  }
};

TEST_F(ConditionEndToEnd, ConditionsLeaveAModelThatGenerateSteers) {
  const Finished done = rlhf(conditioned("rc"));
  ASSERT_EQ(done.code, 0) << done.err;
  const json summary = json_at(at("rc") / "summary.json");
  EXPECT_EQ(summary["score_under"].size(), 2u);
  EXPECT_TRUE(summary.contains("score_plain_before"));
  EXPECT_NE(content_of(at("rc") / "report.html").find("What each condition asks for"),
            std::string::npos);
  for (const char* name : {"loss/nll", "loss/kl", "entropy", "pool/size", "reward"}) {
    EXPECT_TRUE(first_line("rc").contains(name)) << name;
  }
  const Finished text =
      rlhf({"generate", "--model_name_or_path", at("rc"), "--prompt", "fine the film"});
  EXPECT_EQ(text.code, 0) << text.err;
}

TEST_F(ConditionEndToEnd, InstructionsAreFollowedAndReported) {
  const Finished done = rlhf(hindsight("hir"));
  ASSERT_EQ(done.code, 0) << done.err;
  const json summary = json_at(at("hir") / "summary.json");
  EXPECT_TRUE(summary.contains("followed_before") && summary.contains("followed_after"));
  EXPECT_NE(content_of(at("hir") / "report.html").find("followed after"), std::string::npos);
}

TEST_F(ConditionEndToEnd, GivenCompletionsAreLearnt) {
  write("judged.jsonl",
        "{\"prompt\": \"the film\", \"completion\": \" is fine.\", \"reward\": 1}\n"
        "{\"prompt\": \"the film\", \"completion\": \" is dull.\", \"reward\": -1}\n");
  ASSERT_EQ(rlhf(conditioned("given", {"--completions_dataset", at("judged.jsonl")})).code, 0);
  EXPECT_EQ(first_line("given")["pool/size"], 2);
  // Without the column the run's own judge says it.
  ASSERT_EQ(rlhf(conditioned("given", {"--completions_dataset", at("sft.jsonl")})).code, 0);
  EXPECT_EQ(first_line("given")["pool/size"], 36);
}

TEST_F(ConditionEndToEnd, AdaptersLearnIt) {
  const Finished done = rlhf(conditioned("lora", {"--use_peft", "true"}));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_TRUE(fs::exists(at("lora") / "adapter_model.safetensors"));
}

TEST_F(ConditionEndToEnd, AResumedRunIsTheSame) {
  for (const bool instructions : {false, true}) {
    const auto with = [&](const Arguments& more) {
      const Arguments all = Arguments{"--save_steps", "1"} + more;
      return instructions ? hindsight("whole", all) : conditioned("whole", all);
    };
    ASSERT_EQ(rlhf(with({})).code, 0);
    const std::string model = content_of(at("whole") / "model.safetensors");
    const Finished rest = rlhf(with({"--resume_from_checkpoint", at("whole") / "checkpoint-1"}));
    ASSERT_EQ(rest.code, 0) << rest.err;
    EXPECT_EQ(content_of(at("whole") / "model.safetensors"), model);
  }
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
  write("gap.jsonl",
        "{\"instruction\": \"dull \", \"max\": 0}\n{\"instruction\": \"fine \", \"min\": 1}\n");
  expect_refused(call("hir", "out", {"--instructions", at("gap.jsonl")}),
                 "gap.jsonl:2] expected a band");
  write("one.jsonl", "{\"instruction\": \"fine \"}\n");
  expect_refused(call("hir", "out", {"--instructions", at("one.jsonl")}),
                 "[--instructions] expected at least 2");
  EXPECT_FALSE(fs::exists(at("out")));
}

}  // namespace
}  // namespace rlhf::end_to_end
