// dpo, kto, orpo and simpo as a person meets them: what they leave on disk, that they go on after a
// stop with the same bits, and what they say of wrong input.
#include "rl/run/checkpoint_folder.h"
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

const std::string kTalk = R"({"prompt": [{"role": "user", "content": "the film"}], )";

class PreferenceEndToEnd : public Models {
 protected:
  static void SetUpTestSuite() {
    Models::SetUpTestSuite();
    std::string judged;
    for (int i = 0; i < 12; i++) {
      judged += json{{"prompt", "the film"},
                     {"completion", i % 2 ? " is good." : " is poor."},
                     {"label", i % 2 == 1}}
                    .dump() +
                "\n";
    }
    write("judged.jsonl", judged);
    write("talk.jsonl", kTalk + R"("chosen": [{"role": "assistant", "content": "is good"}], )" +
                            R"("rejected": [{"role": "assistant", "content": "is poor"}]})" + "\n");
    write("no_prompt.jsonl", R"({"prompt": "", "chosen": "good", "rejected": "poor"})"
                             "\n");
    write("no_chosen.jsonl", R"({"prompt": "the", "better": "good", "rejected": "poor"})"
                             "\n");
    write("label_2.jsonl", R"({"prompt": "the", "completion": "good", "label": 2})"
                           "\n");
  }

  static Arguments call(const std::string& command, const std::string& output,
                        const Arguments& more = {}) {
    return run_of(command, "sft", "pairs.jsonl", output) +
           Arguments{"--per_device_train_batch_size", "4"} + more;
  }
};

TEST_F(PreferenceEndToEnd, EveryAlgorithmLeavesAModelFiguresAndAReport) {
  for (const std::string command : {"dpo", "kto", "orpo", "simpo"}) {
    const Finished done = rlhf(call(
        command, command,
        {"--eval_dataset_name", at("pairs.jsonl"), "--eval_steps", "5", "--logging_steps", "3"}));
    ASSERT_EQ(done.code, 0) << command << done.err;
    EXPECT_EQ(done.out.find("train_loss "), 0u);
    const json summary = summary_of(command);
    expect_keys(summary, {"train_loss", "eval_loss", "rewards/chosen", "eval_rewards/margins",
                          "logps/rejected", "steps", "both_fell"});
    EXPECT_EQ(summary["examples"], command == "kto" ? 72 : 36);
    const std::string report = content_of(at(command) / "report.html");
    EXPECT_NE(report.find("Log-probabilities of both sides"), std::string::npos);
    EXPECT_EQ(rlhf({"generate", "--model_name_or_path", at(command), "--prompt", "the"}).code, 0);
  }
  EXPECT_TRUE(metrics_of("orpo").back().contains("log_odds_ratio"));
  EXPECT_TRUE(metrics_of("kto").back().contains("kl"));
}

TEST_F(PreferenceEndToEnd, TheOtherFormsOfRows) {
  ASSERT_EQ(rlhf(call("kto", "kto2", {"--dataset_name", at("judged.jsonl")})).code, 0);
  EXPECT_EQ(summary_of("kto2")["examples"], 12);
  const Finished talk = rlhf(call("dpo", "talk", {"--dataset_name", at("talk.jsonl")}));
  ASSERT_EQ(talk.code, 0) << talk.err;
  EXPECT_NE(talk.err.find("<|assistant|>[[is good<|endoftext|>]]"), std::string::npos) << talk.err;
}

TEST_F(PreferenceEndToEnd, AResumedRunHasTheSameBits) {
  for (const std::string command : {"dpo", "kto", "orpo", "simpo"}) {
    const Arguments often{"--save_steps", "3", "--save_total_limit", "9",
                          "--max_steps",  "9", "--logging_steps",    "2"};
    ASSERT_EQ(rlhf(call(command, "whole", often), 1).code, 0);
    ASSERT_EQ(rlhf(call(command, "cut", often), 2).code, 0);
    for (const int64_t step : checkpoint_steps(at("cut"))) {
      if (step > 3) remove_checkpoint(checkpoint_path(at("cut"), step));
    }
    const Finished rest =
        rlhf({command, "--output_dir", at("cut"), "--resume_from_checkpoint", "true"}, 2);
    ASSERT_EQ(rest.code, 0) << rest.err;
    EXPECT_EQ(content_of(at("cut") / "model.safetensors"),
              content_of(at("whole") / "model.safetensors"))
        << command;
    EXPECT_EQ(metrics_of("cut"), metrics_of("whole")) << command;
    for (const char* run : {"whole", "cut"}) fs::remove_all(at(run));
  }
}

TEST_F(PreferenceEndToEnd, WrongInputIsRefusedInOneLine) {
  succeed(pretrain("other", {"--dataset_name", at("sft.jsonl"), "--max_steps", "1"}));
  expect_refused(call("dpo", "out", {"--dataset_name", at("no_prompt.jsonl")}),
                 "no_prompt.jsonl:1] expected a prompt that is not empty");
  expect_refused(call("simpo", "out", {"--dataset_name", at("no_chosen.jsonl")}),
                 "expected a string column \"chosen\", found columns: better, prompt, rejected");
  expect_refused(call("kto", "out", {"--dataset_name", at("label_2.jsonl")}),
                 "label_2.jsonl:1] expected a label of true or false, 1 or 0, got 2");
  expect_refused(call("kto", "out", {"--per_device_train_batch_size", "1"}), "at least 2 examples");
  expect_refused(call("dpo", "out", {"--loss_type", "ipo", "--label_smoothing", "0.1"}),
                 "[--label_smoothing] expected 0");
  expect_refused(call("dpo", "out", {"--reference_free", "--ref_model", at("sft")}),
                 "[--ref_model]");
  expect_refused(call("dpo", "out", {"--ref_model", at("missing")}), "missing");
  expect_refused(call("kto", "out", {"--ref_model", at("other")}),
                 "[--ref_model] expected the tokenizer");
  expect_refused(call("orpo", "out", {"--max_length", "4", "--max_prompt_length", "4"}),
                 "[--max_prompt_length] expected less than --max_length 4");
  expect_refused(call("orpo", "out", {"--max_length", "5"}),
                 "different completions within 5 tokens");
}

}  // namespace
}  // namespace rlhf::end_to_end
