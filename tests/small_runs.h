// Small files, calls of every command on them, and models that are trained once per program.
#pragma once

#include "tests/end_to_end.h"

namespace rlhf::end_to_end {

inline const Arguments kSmall{
    "--n_layer",   "1",  "--n_head",        "2",    "--n_embd",       "16", "--block_size", "24",
    "--max_steps", "30", "--learning_rate", "5e-3", "--warmup_steps", "2"};

/// What a policy learns from: a model, or a function.
inline Arguments reward_model() { return {"--reward_model_path", at("rm")}; }
inline const Arguments kRewardFunction{"--reward_funcs", "length:target=4"};

/// A command that makes a run of a model and a data set of the folder.
inline Arguments run_of(const std::string& command, const std::string& model,
                        const std::string& data, const std::string& output) {
  return {command,  "--model_name_or_path", at(model), "--dataset_name",
          at(data), "--output_dir",         at(output)};
}

inline Arguments pretrain(const std::string& output, const Arguments& more = {}) {
  return Arguments{"pretrain",     "--dataset_name", at("corpus.txt"),
                   "--output_dir", at(output),       "--tokenizer",
                   "char"} +
         kSmall + more;
}

inline Arguments sft(const std::string& output, const Arguments& more = {}) {
  return run_of("sft", "lm", "sft.jsonl", output) + Arguments{"--max_steps", "10"} + more;
}

inline Arguments reward(const std::string& output, const std::string& data, const std::string& loss,
                        const Arguments& more = {}) {
  return run_of("reward", "lm", data, output) +
         Arguments{"--loss", loss, "--max_steps", "20", "--learning_rate", "5e-3"} +
         Arguments{"--per_device_train_batch_size", "8"} + more;
}

inline Arguments ppo(const std::string& output, const Arguments& more = {}) {
  return run_of("ppo", "sft", "prompts.jsonl", output) + reward_model() +
         Arguments{"--total_episodes",  "24", "--episodes_per_update", "8",
                   "--response_length", "8",  "--eval_prompts",        "4"} +
         more;
}

/// Any other command that learns from answers of its own.
inline Arguments episodes(const std::string& command, const std::string& output,
                          const Arguments& more = {}) {
  return run_of(command, "sft", "prompts.jsonl", output) +
         Arguments{"--total_episodes", "32", "--generation_batch_size", "8",
                   "--eval_prompts",   "4"} +
         more;
}
inline const Arguments kShort{"--max_completion_length", "8"};

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
class Models : public Folder {
 protected:
  static void SetUpTestSuite() {
    Folder::SetUpTestSuite();
    write_data();
    for (const Arguments& call :
         {pretrain("lm"), sft("sft"), reward("rm", "pairs.jsonl", "pairwise")}) {
      const Finished done = rlhf(call);
      ASSERT_EQ(done.code, 0) << done.err;
    }
  }
};

/// A run that goes on from one of its own checkpoints leaves the same bytes again, and the
/// checkpoint had others.
inline void expect_the_same_resumed(const std::string& output, int64_t step, const Arguments& call,
                                    const Arguments& files = {"model.safetensors"}) {
  SCOPED_TRACE(text_of(call));
  ASSERT_EQ(succeed(call).code, 0);
  const fs::path from = at(output) / ("checkpoint-" + std::to_string(step));
  std::vector<std::string> whole;
  for (const std::string& file : files) {
    whole.push_back(content_of(at(output) / file));
    ASSERT_TRUE(fs::exists(from / file)) << file;
    EXPECT_NE(content_of(from / file), whole.back()) << file;
  }
  ASSERT_EQ(succeed(call + Arguments{"--resume_from_checkpoint", from}).code, 0);
  for (size_t i = 0; i < files.size(); i++) {
    EXPECT_EQ(content_of(at(output) / files[i]), whole[i]) << files[i];
  }
}

}  // namespace rlhf::end_to_end
