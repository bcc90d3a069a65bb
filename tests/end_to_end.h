// What the end-to-end tests share: small files, calls of every command on them, and models that are
// trained once per program.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/process.h"

namespace rlhf::end_to_end {

namespace fs = std::filesystem;
using nlohmann::json;
using Arguments = std::vector<std::string>;

inline fs::path root;  // of everything these tests write

inline fs::path at(const std::string& name) { return root / name; }

inline Finished rlhf(const Arguments& arguments, int threads = 0) {
  return run_program(RLHF_BINARY, arguments, root, threads);
}

inline void write(const std::string& name, const std::string& text) {
  std::ofstream(at(name), std::ios::binary) << text;
}

inline const Arguments kSmall{
    "--n_layer",   "1",  "--n_head",        "2",    "--n_embd",       "16", "--block_size", "24",
    "--max_steps", "30", "--learning_rate", "5e-3", "--warmup_steps", "2"};

inline Arguments operator+(Arguments left, const Arguments& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Arguments pretrain(const std::string& output, const Arguments& more = {}) {
  return Arguments{"pretrain",     "--dataset_name", at("corpus.txt"),
                   "--output_dir", at(output),       "--tokenizer",
                   "char"} +
         kSmall + more;
}

inline Arguments sft(const std::string& output, const Arguments& more = {}) {
  return Arguments{"sft",
                   "--model_name_or_path",
                   at("lm"),
                   "--dataset_name",
                   at("sft.jsonl"),
                   "--output_dir",
                   at(output),
                   "--max_steps",
                   "10"} +
         more;
}

inline Arguments reward(const std::string& output, const std::string& data, const std::string& loss,
                        const Arguments& more = {}) {
  return Arguments{"reward",   "--model_name_or_path",
                   at("lm"),   "--dataset_name",
                   at(data),   "--output_dir",
                   at(output), "--loss",
                   loss,       "--max_steps",
                   "20",       "--learning_rate",
                   "5e-3",     "--per_device_train_batch_size",
                   "8"} +
         more;
}

inline Arguments ppo(const std::string& output, const Arguments& more = {}) {
  return Arguments{"ppo",
                   "--model_name_or_path",
                   at("sft"),
                   "--reward_model_path",
                   at("rm"),
                   "--dataset_name",
                   at("prompts.jsonl"),
                   "--output_dir",
                   at(output),
                   "--total_episodes",
                   "24",
                   "--episodes_per_update",
                   "8",
                   "--response_length",
                   "8",
                   "--eval_prompts",
                   "4"} +
         more;
}

inline void write_data() {
  const std::vector<std::string> nouns{"film", "plot", "cast", "score"};
  const std::vector<std::string> good{"fine", "good", "warm"}, bad{"dull", "poor", "cold"};
  std::string corpus, sft_rows, pairs, labels, tsv, scores, prompts;
  for (int i = 0; i < 36; i++) {
    const std::string opening = "the " + nouns[size_t(i) % 4];
    const std::string better = " is " + good[size_t(i) % 3], worse = " is " + bad[size_t(i) % 3];
    corpus += opening + better + ".\n" + opening + worse + ".\n";
    sft_rows +=
        json{{"prompt", opening}, {"completion", (i % 2 ? better : worse) + "."}}.dump() + "\n";
    pairs +=
        json{{"prompt", opening}, {"chosen", better}, {"rejected", worse}, {"margin", 0.5}}.dump() +
        "\n";
    const std::string text = opening + (i % 2 ? better : worse);
    labels += json{{"text", text}, {"label", i % 2}}.dump() + "\n";
    tsv += text + "\t" + std::to_string(i % 2) + "\n";
    scores += json{{"text", text}, {"label", i % 2 ? 1.5 : -2}}.dump() + "\n";
    prompts += json{{"prompt", opening}}.dump() + "\n";
  }
  write("corpus.txt", corpus);
  write("sft.jsonl", sft_rows);
  write("pairs.jsonl", pairs);
  write("labels.jsonl", labels);
  write("labels.tsv", tsv);
  write("scores.jsonl", scores);
  write("prompts.jsonl", prompts);
}

/// The folders lm, sft and rm, trained on them.
class Models : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = (fs::temp_directory_path() / "rlhf_end_to_end_XXXXXX").string();
    root = mkdtemp(name.data());
    write_data();
    for (const Arguments& call :
         {pretrain("lm"), sft("sft"), reward("rm", "pairs.jsonl", "pairwise")}) {
      const Finished done = rlhf(call);
      ASSERT_EQ(done.code, 0) << done.err;
    }
  }
  static void TearDownTestSuite() { fs::remove_all(root); }
};

}  // namespace rlhf::end_to_end
