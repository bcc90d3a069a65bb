// Every command as a process on wrong input: exit code 2, one line that says what was expected and
// what was found, nothing on stdout, and no output folder.
#include "tests/small_runs.h"

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
};

TEST_F(EndToEndWrongInput, ToTokenizer) {
  const auto train = [](const std::string& data, const Arguments& more = {}) {
    return Arguments{"tokenizer",      "train",  "--kind",       "char",
                     "--dataset_name", at(data), "--output_dir", at("out")} +
           more;
  };
  expect_refused(train("nothing.txt"), "nothing.txt] expected a file, found none");
  expect_refused(train("broken_utf8.txt"), "broken_utf8.txt:2] expected UTF-8");
  expect_refused(train("pairs.jsonl"), "\"text\"");
  expect_refused(train("corpus.txt", {"--vocab", "9"}), "--vocab_size");
  expect_refused(train("corpus.txt", {"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refused({"tokenizer", "train", "--output_dir", at("out")}, "[--dataset_name]");
  expect_refused({"tokenizer", "encode", "--tokenizer", at("empty"), "--text", "a"}, "a tokenizer");
  expect_refused({"tokenizer", "encode", "--tokenizer", at("lm"), "--text", "Q"}, "\"Q\"");
}

TEST_F(EndToEndWrongInput, ToPretrain) {
  const auto call = [](const Arguments& more) { return pretrain("out", more); };
  expect_refused(call({"--dataset_name", at("nothing.txt")}), "nothing.txt");
  expect_refused(call({"--dataset_name", at("broken_utf8.txt")}), "expected UTF-8");
  expect_refused(call({"--dataset_name", at("pairs.jsonl")}), "\"text\"");
  expect_refused(call({"--dataset_name", at("short.txt")}), "more than 24 tokens");
  expect_refused(call({"--n_head", "3"}), "n_embd divisible by n_head");
  expect_refused(call({"--tokenizer", "bpe", "--n_head", "3"}), "n_embd divisible by n_head");
  expect_refused(call({"--tokenizer", at("empty")}), "tokenizer");
  expect_refused(call({"--model_name_or_path", at("empty")}), "config.json");
  expect_refused(call({"--model_name_or_path", at("rm")}), "a language model, got a reward model");
  expect_refused(call({"--tokenizer", at("other_tokenizer")}), "character");
  expect_refused(call({"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refused(call({"--eval_dataset_name", at("nothing.txt")}), "nothing.txt");
  expect_refused(call({"--min_learning_rate", "1"}), "[--min_learning_rate]");
  expect_refused(call({"--learning-rat", "1"}), "--learning_rate");
}

TEST_F(EndToEndWrongInput, ToSft) {
  const auto call = [](const Arguments& more) { return sft("out", more); };
  expect_refused(call({"--dataset_name", at("nothing.jsonl")}), "nothing.jsonl");
  expect_refused(call({"--dataset_name", at("pairs.jsonl")}), "pairs.jsonl:1]");
  expect_refused(call({"--dataset_name", at("broken_utf8.jsonl")}), "broken_utf8.jsonl:1]");
  expect_refused(call({"--dataset_name", at("foreign.jsonl")}), "\"G\"");
  expect_refused(call({"--eval_dataset_name", at("foreign.jsonl")}), "\"G\"");
  expect_refused(call({"--max_length", "3"}), "within 3 tokens");
  expect_refused(call({"--model_name_or_path", at("rm")}), "a language model, got a reward model");
  expect_refused(call({"--model_name_or_path", at("a_file")}), "got a file");
  expect_refused(call({"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refused(call({"--epochs", "1"}), "--epochs");
}

TEST_F(EndToEndWrongInput, ToReward) {
  const auto call = [](const std::string& data, const std::string& loss,
                       const Arguments& more = {}) { return reward("out", data, loss, more); };
  expect_refused(call("nothing.jsonl", "pairwise"), "nothing.jsonl");
  expect_refused(call("labels.jsonl", "pairwise"), "\"chosen\"");
  expect_refused(call("pairs.jsonl", "bce"), "\"text\"");
  expect_refused(call("label_2.jsonl", "bce"), "label_2.jsonl:1] expected a label within [0, 1]");
  expect_refused(call("labels.tsv", "bce", {"--text_column", "0", "--label_column", "7"}), "\"7\"");
  expect_refused(call("labels.tsv", "bce", {"--text_column", "0"}), "two names or two indices");
  expect_refused(call("label_2.jsonl", "mse", {"--eval_fraction", "0.9"}), "--eval_fraction");
  expect_refused(call("pairs.jsonl", "pairwise", {"--model_name_or_path", at("rm")}),
                 "a language model, got a reward model");
  expect_refused(call("pairs.jsonl", "pairwise", {"--model_name_or_path", at("other_lm")}),
                 "characters of the vocabulary");
  expect_refused(call("pairs.jsonl", "pairwise", {"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refused(call("pairs.jsonl", "pair"), "[--loss]");
}

TEST_F(EndToEndWrongInput, ToPpo) {
  const auto call = [](const Arguments& more) { return ppo("out", more); };
  expect_refused(call({"--reward_model_path", at("lm")}), "a reward model, got a language model");
  expect_refused(call({"--model_name_or_path", at("rm")}), "a language model, got a reward model");
  expect_refused(call({"--model_name_or_path", at("other_lm")}), "the policy's tokenizer");
  expect_refused(call({"--judge_model_path", at("lm")}), "a reward model, got a language model");
  expect_refused(call({"--dataset_name", at("nothing.jsonl")}), "nothing.jsonl");
  expect_refused(call({"--dataset_name", at("pairs.txt")}), "pairs.txt");
  expect_refused(call({"--dataset_name", at("long_prompt.jsonl")}),
                 "prompt 1 to leave 8 of 24 positions for the response and its end, got 33");
  expect_refused(call({"--response_length", "20"}), "[prompts]");
  expect_refused(call({"--num_mini_batches", "9"}), "[--num_mini_batches]");
  expect_refused(call({"--temperature", "0"}), "[--temperature]");
  expect_refused(call({"--output_dir", at("a_file")}), "[--output_dir]");
  expect_refused(call({"--kl_coeff", "1"}), "--kl_coef");
}

TEST_F(EndToEndWrongInput, ToPpoWithARewardModelOfLessContext) {
  rlhf(pretrain("short_lm", {"--block_size", "17"}));
  rlhf(reward("short_rm", "pairs.jsonl", "pairwise", {"--model_name_or_path", at("short_lm")}));
  expect_refused(ppo("out", {"--reward_model_path", at("short_rm")}), "to leave 8 of 17 positions");
}

TEST_F(EndToEndWrongInput, ToGenerate) {
  const auto call = [](const Arguments& more) {
    return Arguments{"generate", "--model_name_or_path", at("lm")} + more;
  };
  expect_refused(call({"--prompt", "the Film"}), "\"F\"");
  expect_refused(call({"--prompt", "the \xff"}), "UTF-8");
  expect_refused(call({"--prompt", "the film is good the film"}), "24 positions");
  expect_refused(call({"--prompt", "the", "--dataset_name", at("prompts.jsonl")}), "[--prompt]");
  expect_refused(call({"--top_p", "0"}), "[--top_p]");
  expect_refused(call({"--model_name_or_path", at("rm")}), "a language model, got a reward model");
  expect_refused(call({"--model_name_or_path", at("nothing")}), "nothing there");
  expect_refused({"generate"}, "[--model_name_or_path]");
}

TEST_F(EndToEndWrongInput, ToEval) {
  const auto call = [](const char* model, const std::string& data, const Arguments& more = {}) {
    return Arguments{"eval", "--model_name_or_path", at(model), "--dataset_name", at(data)} + more;
  };
  expect_refused(call("lm", "nothing.txt"), "nothing.txt");
  expect_refused(call("lm", "corpus.txt", {"--task", "labels"}), "[--task]");
  expect_refused(call("rm", "pairs.jsonl", {"--task", "perplexity"}), "[--task]");
  expect_refused(call("rm", "corpus.txt"), "corpus.txt:1]");
  expect_refused(call("rm", "label_2.jsonl"), "within [0, 1]");
  expect_refused(call("empty", "corpus.txt"), "config.json");
  expect_refused(call("lm", "foreign.jsonl"), "\"G\"");
  expect_refused(call("lm", "broken_utf8.txt"), "UTF-8");
  expect_refused(call("lm", "prompts.jsonl"), "[--temperature]");
  const Arguments sampled{"--temperature", "1", "--max_new_tokens", "8"};
  expect_refused(call("lm", "prompts.jsonl", {"--temperature", "1"}), "[prompts]");
  expect_refused(call("lm", "prompts.jsonl", sampled + Arguments{"--ref_model", at("other_lm")}),
                 "the policy's tokenizer");
  expect_refused(
      call("lm", "prompts.jsonl", sampled + Arguments{"--reward_funcs", "demo_judge:strict"}),
      "expected nothing after \"demo_judge\"");
  expect_refused(call("lm", "prompts.jsonl", {"--judge_completions"}), "\"completion\"");
  expect_refused(call("rm", "prompts.jsonl", {"--task", "policy"}), "[--task]");
}

}  // namespace
}  // namespace rlhf::end_to_end
