// Every command as a process on wrong input: exit code 2, one line that says what was expected and
// what was found, nothing on stdout, and no output folder.
#include "tests/end_to_end.h"

#include <algorithm>

namespace rlhf::end_to_end {
namespace {

class EndToEndWrongInput : public Models {
 protected:
  static void SetUpTestSuite() {
    Models::SetUpTestSuite();
    write("broken_utf8.txt", "the film\nis \xff\xfe good\n");
    write("broken_utf8.jsonl", "{\"prompt\": \"the \xff\", \"completion\": \"film\"}\n");
    write("label_2.jsonl", "{\"text\": \"the film\", \"label\": 2}\n");
    write("foreign.jsonl", "{\"prompt\": \"the film\", \"completion\": \" is GREAT\"}\n");
    write("long_prompt.jsonl", "{\"prompt\": \"the film is good the film is good\"}\n");
    write("short.txt", "the film");
    write("a_file", "");
    fs::create_directory(at("empty"));
    rlhf({"tokenizer", "train", "--dataset_name", at("sft.jsonl"), "--kind", "char",
          "--text_column", "prompt", "--output_dir", at("other_tokenizer")});
    const Arguments other{"--tokenizer",     "char", "--dataset_name", at("short.txt"),
                          "--block_size",    "4",    "--max_steps",    "1",
                          "--eval_fraction", "0"};
    rlhf(pretrain("other_lm", other));
  }

  /// The call must end with code 2 and one line that holds `part`, and leave no folder "out".
  static void expect_refusal(const Arguments& call, const std::string& part) {
    const Finished done = rlhf(call);
    std::string line;
    for (const std::string& argument : call) line += argument + " ";
    EXPECT_EQ(done.code, 2) << line << done.err;
    EXPECT_EQ(done.out, "") << line;
    EXPECT_EQ(done.err.find("rlhf: ["), 0u) << line << done.err;
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << line << done.err;
    EXPECT_NE(done.err.find(part), std::string::npos) << part << " in: " << done.err;
    EXPECT_NE(done.err.find("expected"), std::string::npos) << done.err;
    EXPECT_FALSE(fs::exists(at("out"))) << line << "left a folder behind";
    fs::remove_all(at("out"));
  }
};

TEST_F(EndToEndWrongInput, ToTokenizer) {
  const auto train = [](const std::string& data, const Arguments& more = {}) {
    return Arguments{"tokenizer",      "train",  "--kind",       "char",
                     "--dataset_name", at(data), "--output_dir", at("out")} +
           more;
  };
  expect_refusal(train("nothing.txt"), "nothing.txt] expected a file, found none");
  expect_refusal(train("broken_utf8.txt"), "broken_utf8.txt:2] expected UTF-8");
  expect_refusal(train("pairs.jsonl"), "\"text\"");
  expect_refusal(train("corpus.txt", {"--vocab", "9"}), "--vocab_size");
  expect_refusal(train("corpus.txt", {"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refusal({"tokenizer", "train", "--output_dir", at("out")}, "[--dataset_name]");
  expect_refusal({"tokenizer", "encode", "--tokenizer", at("empty"), "--text", "a"}, "a tokenizer");
  expect_refusal({"tokenizer", "encode", "--tokenizer", at("lm"), "--text", "Q"}, "\"Q\"");
}

TEST_F(EndToEndWrongInput, ToPretrain) {
  const auto call = [](const Arguments& more) { return pretrain("out", more); };
  expect_refusal(call({"--dataset_name", at("nothing.txt")}), "nothing.txt");
  expect_refusal(call({"--dataset_name", at("broken_utf8.txt")}), "expected UTF-8");
  expect_refusal(call({"--dataset_name", at("pairs.jsonl")}), "\"text\"");
  expect_refusal(call({"--dataset_name", at("short.txt")}), "more than 24 tokens");
  expect_refusal(call({"--n_head", "3"}), "n_embd divisible by n_head");
  expect_refusal(call({"--tokenizer", "bpe", "--n_head", "3"}), "n_embd divisible by n_head");
  expect_refusal(call({"--tokenizer", at("empty")}), "tokenizer");
  expect_refusal(call({"--model_name_or_path", at("empty")}), "config.json");
  expect_refusal(call({"--model_name_or_path", at("rm")}), "a language model, got a reward model");
  expect_refusal(call({"--tokenizer", at("other_tokenizer")}), "character");
  expect_refusal(call({"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refusal(call({"--eval_dataset_name", at("nothing.txt")}), "nothing.txt");
  expect_refusal(call({"--min_learning_rate", "1"}), "[--min_learning_rate]");
  expect_refusal(call({"--learning-rat", "1"}), "--learning_rate");
}

TEST_F(EndToEndWrongInput, ToSft) {
  const auto call = [](const Arguments& more) { return sft("out", more); };
  expect_refusal(call({"--dataset_name", at("nothing.jsonl")}), "nothing.jsonl");
  expect_refusal(call({"--dataset_name", at("pairs.jsonl")}), "pairs.jsonl:1]");
  expect_refusal(call({"--dataset_name", at("broken_utf8.jsonl")}), "broken_utf8.jsonl:1]");
  expect_refusal(call({"--dataset_name", at("foreign.jsonl")}), "\"G\"");
  expect_refusal(call({"--eval_dataset_name", at("foreign.jsonl")}), "\"G\"");
  expect_refusal(call({"--max_length", "3"}), "within 3 tokens");
  expect_refusal(call({"--model_name_or_path", at("rm")}), "a language model, got a reward model");
  expect_refusal(call({"--model_name_or_path", at("a_file")}), "got a file");
  expect_refusal(call({"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refusal(call({"--epochs", "1"}), "--epochs");
}

TEST_F(EndToEndWrongInput, ToReward) {
  const auto call = [](const std::string& data, const std::string& loss,
                       const Arguments& more = {}) { return reward("out", data, loss, more); };
  expect_refusal(call("nothing.jsonl", "pairwise"), "nothing.jsonl");
  expect_refusal(call("labels.jsonl", "pairwise"), "\"chosen\"");
  expect_refusal(call("pairs.jsonl", "bce"), "\"text\"");
  expect_refusal(call("label_2.jsonl", "bce"), "label_2.jsonl:1] expected a label within [0, 1]");
  expect_refusal(call("labels.tsv", "bce", {"--text_column", "0", "--label_column", "7"}), "\"7\"");
  expect_refusal(call("labels.tsv", "bce", {"--text_column", "0"}), "two names or two indices");
  expect_refusal(call("label_2.jsonl", "mse", {"--eval_fraction", "0.9"}), "--eval_fraction");
  expect_refusal(call("pairs.jsonl", "pairwise", {"--model_name_or_path", at("rm")}),
                 "a language model, got a reward model");
  expect_refusal(call("pairs.jsonl", "pairwise", {"--model_name_or_path", at("other_lm")}),
                 "characters of the vocabulary");
  expect_refusal(call("pairs.jsonl", "pairwise", {"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refusal(call("pairs.jsonl", "pair"), "[--loss]");
}

TEST_F(EndToEndWrongInput, ToPpo) {
  const auto call = [](const Arguments& more) { return ppo("out", more); };
  expect_refusal(call({"--reward_model_path", at("lm")}), "a reward model, got a language model");
  expect_refusal(call({"--model_name_or_path", at("rm")}), "a language model, got a reward model");
  expect_refusal(call({"--model_name_or_path", at("other_lm")}), "the policy's tokenizer");
  expect_refusal(call({"--judge_model_path", at("lm")}), "a reward model, got a language model");
  expect_refusal(call({"--dataset_name", at("nothing.jsonl")}), "nothing.jsonl");
  expect_refusal(call({"--dataset_name", at("pairs.txt")}), "pairs.txt");
  expect_refusal(call({"--dataset_name", at("long_prompt.jsonl")}),
                 "prompt 1 to leave 8 of 24 positions for the response and its end, got 33");
  expect_refusal(call({"--response_length", "20"}), "[prompts]");
  expect_refusal(call({"--num_mini_batches", "9"}), "[--num_mini_batches]");
  expect_refusal(call({"--temperature", "0"}), "[--temperature]");
  expect_refusal(call({"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refusal(call({"--kl_coeff", "1"}), "--kl_coef");
}

TEST_F(EndToEndWrongInput, ToPpoWithARewardModelOfLessContext) {
  rlhf(pretrain("short_lm", {"--block_size", "17"}));
  rlhf(reward("short_rm", "pairs.jsonl", "pairwise", {"--model_name_or_path", at("short_lm")}));
  expect_refusal(ppo("out", {"--reward_model_path", at("short_rm")}), "to leave 8 of 17 positions");
}

TEST_F(EndToEndWrongInput, ToGenerate) {
  const auto call = [](const Arguments& more) {
    return Arguments{"generate", "--model_name_or_path", at("lm")} + more;
  };
  expect_refusal(call({"--prompt", "the Film"}), "\"F\"");
  expect_refusal(call({"--prompt", "the \xff"}), "UTF-8");
  expect_refusal(call({"--prompt", "the film is good the film"}), "24 positions");
  expect_refusal(call({"--prompt", "the", "--dataset_name", at("prompts.jsonl")}), "[--prompt]");
  expect_refusal(call({"--top_p", "0"}), "[--top_p]");
  expect_refusal(call({"--model_name_or_path", at("rm")}), "a language model, got a reward model");
  expect_refusal(call({"--model_name_or_path", at("nothing")}), "nothing there");
  expect_refusal({"generate"}, "[--model_name_or_path]");
}

TEST_F(EndToEndWrongInput, ToEval) {
  const auto call = [](const char* model, const std::string& data, const Arguments& more = {}) {
    return Arguments{"eval", "--model_name_or_path", at(model), "--dataset_name", at(data)} + more;
  };
  expect_refusal(call("lm", "nothing.txt"), "nothing.txt");
  expect_refusal(call("lm", "corpus.txt", {"--task", "labels"}), "[--task]");
  expect_refusal(call("rm", "pairs.jsonl", {"--task", "perplexity"}), "[--task]");
  expect_refusal(call("rm", "corpus.txt"), "corpus.txt:1]");
  expect_refusal(call("rm", "label_2.jsonl"), "within [0, 1]");
  expect_refusal(call("empty", "corpus.txt"), "config.json");
  expect_refusal(call("lm", "foreign.jsonl"), "\"G\"");
  expect_refusal(call("lm", "broken_utf8.txt"), "UTF-8");
  expect_refusal(call("lm", "prompts.jsonl"), "[--temperature]");
  const Arguments sampled{"--temperature", "1", "--max_new_tokens", "8"};
  expect_refusal(call("lm", "prompts.jsonl", {"--temperature", "1"}), "[prompts]");
  expect_refusal(call("lm", "prompts.jsonl", sampled + Arguments{"--ref_model", at("other_lm")}),
                 "the policy's tokenizer");
  expect_refusal(
      call("lm", "prompts.jsonl", sampled + Arguments{"--reward_funcs", "demo_judge:strict"}),
      "expected nothing after \"demo_judge\"");
  expect_refusal(call("lm", "prompts.jsonl", {"--judge_completions"}), "\"completion\"");
  expect_refusal(call("rm", "prompts.jsonl", {"--task", "policy"}), "[--task]");
}

}  // namespace
}  // namespace rlhf::end_to_end
