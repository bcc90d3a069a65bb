// docs/dialogue.md in miniature: dialogues, pretraining, fine-tuning on messages, a reward model on
// pairs of answers, PPO on conversations, answers to prompts of messages, their judge, and a chat.
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

/// The first lines of a file under another name.
void take(const std::string& from, const std::string& to, int lines) {
  std::string head;
  for (const std::string& line : lines_of(at(from))) {
    if (lines-- > 0) head += line + "\n";
  }
  write(to, head);
}

class DialogueEndToEnd : public Folder {
 protected:
  static void SetUpTestSuite() {
    Folder::SetUpTestSuite();
    succeed({"demo", "--dialogues", "--output_dir", at("demo")});
    take("demo/data/documents.jsonl", "text.jsonl", 60);
    take("demo/data/sft.jsonl", "sft.jsonl", 40);
    take("demo/data/pairs.jsonl", "pairs.jsonl", 40);
    take("demo/data/prompts.jsonl", "prompts.jsonl", 16);
    succeed({"pretrain", "--dataset_name", at("text.jsonl"), "--vocab_size", "300", "--n_layer",
             "1", "--n_head", "2", "--n_embd", "16", "--block_size", "320", "--max_steps", "5",
             "--per_device_train_batch_size", "2", "--output_dir", at("lm")});
    fine_tuned = succeed(sft("sft"));
  }
  static inline Finished fine_tuned;
};

TEST_F(DialogueEndToEnd, FineTuningGivesTheModelItsTemplateAndShowsWhatIsLearnt) {
  EXPECT_NE(fine_tuned.err.find("the model gets a chat template; 3 new tokens, embedding "),
            std::string::npos)
      << fine_tuned.err;
  EXPECT_NE(fine_tuned.err.find("<|endoftext|><|assistant|>[["), std::string::npos);
  EXPECT_TRUE(fs::exists(at("sft/chat_template.jinja")));
  EXPECT_NE(content_of(at("sft/report.html")).find("&#60;|assistant|&#62;"), std::string::npos);
  const json summary = summary_of("sft");
  EXPECT_EQ(summary["examples"], 40);
}

TEST_F(DialogueEndToEnd, PackingReadsAllAndResumingGoesOn) {
  succeed(sft("packed", {"--packing", "--save_steps", "5"}));
  const std::string whole = content_of(at("packed/model.safetensors"));
  fs::rename(at("packed"), at("before"));
  succeed(sft("packed", {"--packing", "--max_steps", "5"}));
  fs::remove_all(at("packed"));
  fs::copy(at("before"), at("packed"), fs::copy_options::recursive);
  fs::remove_all(at("packed/checkpoint-10"));
  succeed(
      {"sft", "--resume_from_checkpoint", at("packed/checkpoint-5"), "--output_dir", at("packed")});
  EXPECT_EQ(content_of(at("packed/model.safetensors")), whole)
      << "the new tokens' embeddings begin the same";
}

TEST_F(DialogueEndToEnd, TheWholeChain) {
  succeed({"reward", "--model_name_or_path", at("sft"), "--dataset_name", at("pairs.jsonl"),
           "--output_dir", at("rm"), "--max_steps", "4"});
  EXPECT_TRUE(fs::exists(at("rm/chat_template.jinja")));
  succeed({"eval", "--model_name_or_path", at("rm"), "--dataset_name", at("pairs.jsonl")});
  succeed({"ppo", "--model_name_or_path", at("sft"), "--reward_model_path", at("rm"),
           "--dataset_name", at("prompts.jsonl"), "--output_dir", at("ppo"), "--total_episodes",
           "16", "--episodes_per_update", "8", "--response_length", "8", "--eval_prompts", "4"});
  EXPECT_TRUE(fs::exists(at("ppo/chat_template.jinja")));
  EXPECT_NE(content_of(at("ppo/report.html")).find("user: "), std::string::npos);
  succeed({"generate", "--model_name_or_path", at("ppo"), "--dataset_name", at("prompts.jsonl"),
           "--max_new_tokens", "8", "--output_file", at("answers.jsonl")});
  const Finished judged = succeed({"demo", "--judge", at("answers.jsonl")});
  EXPECT_EQ(judged.out.rfind("answers 16  gold ", 0), 0u) << judged.out;
  const Finished printed = succeed({"generate", "--model_name_or_path", at("ppo"), "--dataset_name",
                                    at("prompts.jsonl"), "--max_new_tokens", "8", "--json"});
  EXPECT_EQ(json::parse(printed.out)["results"][0]["prompt"].back()["role"], "user");
  succeed({"eval", "--model_name_or_path", at("ppo"), "--dataset_name", at("sft.jsonl"),
           "--max_new_tokens", "4"});
}

TEST_F(DialogueEndToEnd, AModelWithoutATemplateIsNotAskedMessages) {
  EXPECT_EQ(
      refusal(
          {"generate", "--model_name_or_path", at("lm"), "--dataset_name", at("prompts.jsonl")}),
      "rlhf: [messages] expected a model with a chat template, got none; `rlhf sft` on rows of "
      "messages gives it one\n");
}

TEST_F(DialogueEndToEnd, BadRowsStopARunBeforeItBegins) {
  write("bad.jsonl", content_of(at("sft.jsonl")) +
                         json{{"messages", {{{"role", "bot"}, {"content", "x"}}}}}.dump() + "\n");
  EXPECT_EQ(refusal(sft("out", {"--dataset_name", at("bad.jsonl")})),
            "rlhf: [" + at("bad.jsonl").string() +
                ":41] expected the role system, user or assistant in message 1 of "
                "\"messages\", got \"bot\"\n");
}

}  // namespace
}  // namespace rlhf::end_to_end
