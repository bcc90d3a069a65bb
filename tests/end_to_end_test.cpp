// Every command as a process on small files: what a person gets for good input.
#include <cmath>

#include "apps/commands.h"
#include "apps/device_flags.h"
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

class EndToEnd : public Models {
 protected:
  /// Runs a training command and checks the folder that every run leaves behind.
  static json summary_after(const Arguments& call, const std::string& folder,
                            const std::vector<const char*>& keys) {
    const Finished done = rlhf(call);
    EXPECT_EQ(done.code, 0) << done.err;
    if (done.code != 0) return {};
    EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 1) << done.out;
    const json summary = summary_of(folder);
    for (const char* key : keys) {
      EXPECT_TRUE(summary.contains(key) && summary[key].is_number()) << folder << ": " << key;
    }
    EXPECT_GT(summary["seconds"], 0);
    EXPECT_GT(summary["peak_rss_mb"], 1);
    EXPECT_FALSE(metrics_of(folder).empty());
    EXPECT_EQ(json_at(at(folder) / "run_config.json")["command"], call[0]);
    const std::string report = content_of(at(folder) / "report.html");
    EXPECT_NE(report.find("</html>"), std::string::npos);
    EXPECT_NE(report.find("<svg"), std::string::npos) << "a curve";
    EXPECT_TRUE(fs::exists(at(folder) / "model.safetensors"));
    return summary;
  }

  static json json_of(const Arguments& call) {
    const Finished done = rlhf(call);
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(done.err, "");
    return json::parse(done.out, nullptr, false);
  }
};

TEST_F(EndToEnd, TokenizerLearnsAndEncodes) {
  for (const char* kind : {"char", "bpe"}) {
    const std::string folder = std::string("tokenizer_") + kind;
    const Finished train = rlhf({"tokenizer", "train", "--dataset_name", at("corpus.txt"), "--kind",
                                 kind, "--vocab_size", "270", "--output_dir", at(folder)});
    ASSERT_EQ(train.code, 0) << train.err;
    EXPECT_NE(train.out.find(" tokens, "), std::string::npos);
    const Finished encode =
        rlhf({"tokenizer", "encode", "--tokenizer", at(folder), "--text", "the film"});
    EXPECT_EQ(encode.code, 0) << encode.err;
    EXPECT_EQ(encode.err, "");
    const auto lines = std::count(encode.out.begin(), encode.out.end(), '\n');
    EXPECT_EQ(lines == 8, std::string(kind) == "char") << encode.out;
    EXPECT_GE(lines, 1);
  }
}

TEST_F(EndToEnd, PretrainsFromCharactersBytePairsAndFolders) {
  const std::vector<const char*> keys{"train_loss", "val_loss",     "best_val_loss", "perplexity",
                                      "tokens",     "tokens_per_s", "parameters",    "vocab_size"};
  const json chars = summary_after(pretrain("lm_char"), "lm_char", keys);
  EXPECT_NEAR(chars["perplexity"], std::exp(chars["val_loss"].get<double>()), 1e-9);
  EXPECT_LT(chars["val_loss"], std::log(chars["vocab_size"].get<double>())) << "below chance";
  EXPECT_EQ(metrics_of("lm_char").back()["eval_loss"], chars["val_loss"]);

  const json bpe = summary_after(pretrain("lm_bpe", {"--tokenizer", "bpe", "--vocab_size", "270"}),
                                 "lm_bpe", keys);
  EXPECT_EQ(bpe["vocab_size"], 270);
  EXPECT_TRUE(fs::exists(at("lm_bpe") / "merges.txt"));

  summary_after(pretrain("lm_folder", {"--tokenizer", at("lm_bpe")}), "lm_folder", keys);
  EXPECT_EQ(content_of(at("lm_folder") / "vocab.json"), content_of(at("lm_bpe") / "vocab.json"));

  const json further = summary_after(
      pretrain("lm_further", {"--model_name_or_path", at("lm_char")}), "lm_further", keys);
  EXPECT_LT(further["train_loss"], chars["train_loss"]) << "it goes on from where it was";
}

TEST_F(EndToEnd, PretrainsWithoutHoldingAnythingOut) {
  const json summary = summary_after(pretrain("lm_all", {"--eval_fraction", "0"}), "lm_all",
                                     {"train_loss", "tokens_per_s"});
  EXPECT_FALSE(summary.contains("val_loss")) << "nothing was measured";
}

TEST_F(EndToEnd, FineTunes) {
  const json summary =
      summary_after(sft("sft_val", {"--eval_dataset_name", at("sft.jsonl")}), "sft_val",
                    {"train_loss", "val_loss", "steps", "examples", "truncated", "tokens_per_s"});
  EXPECT_EQ(summary["examples"], 36);
  EXPECT_EQ(summary["steps"], 10);
  EXPECT_EQ(summary["truncated"], 0);
  const json packed = summary_after(sft("sft_packed", {"--packing", "--dropout", "0.1"}),
                                    "sft_packed", {"train_loss"});
  EXPECT_FALSE(packed.contains("val_loss"));
}

TEST_F(EndToEnd, LearnsFromPairsLabelsAndScores) {
  const std::vector<const char*> keys{"train_loss", "val_loss", "mean_reward",
                                      "std_reward", "examples", "steps"};
  const json pairs =
      summary_after(reward("rm_pairs", "pairs.jsonl", "pairwise",
                           {"--center_rewards_coefficient", "0.01", "--eval_steps", "10"}),
                    "rm_pairs", keys);
  EXPECT_EQ(pairs["accuracy"], 1) << "each word decides";
  EXPECT_EQ(pairs["examples"].get<int>(), 27) << "nine pairs to each prompt: one prompt held out";

  const json labels = summary_after(reward("rm_labels", "labels.tsv", "bce",
                                           {"--text_column", "0", "--label_column", "1",
                                            "--eval_fraction", "0.3", "--max_steps", "80"}),
                                    "rm_labels", keys);
  expect_keys(labels, {"accuracy", "precision", "recall", "f1", "bag_of_words_accuracy"});
  EXPECT_GT(labels["accuracy"], 0.8);

  const json scores = summary_after(reward("rm_scores", "scores.jsonl", "mse"), "rm_scores", keys);
  EXPECT_FALSE(scores.contains("accuracy")) << "scores have none";

  const json all =
      summary_after(reward("rm_all", "pairs.jsonl", "pairwise", {"--eval_fraction", "0"}), "rm_all",
                    {"train_loss"});
  EXPECT_FALSE(all.contains("accuracy")) << "nothing was measured";
}

TEST_F(EndToEnd, RunsPpoWithBothCritics) {
  for (const char* critic : {"reward", "head"}) {
    const std::string folder = std::string("ppo_") + critic;
    const json summary =
        summary_after(ppo(folder, {"--critic", critic, "--judge_model_path", at("rm")}), folder,
                      {"score_before", "score_after", "kl", "distinct2_before", "distinct2_after",
                       "kl_coefficient", "episodes", "episodes_per_s", "generation_share",
                       "judge_before", "judge_after"});
    EXPECT_EQ(summary["episodes"], 24);
    const std::vector<json> metrics = metrics_of(folder);
    ASSERT_EQ(metrics.size(), 3u);
    expect_keys(metrics[0], {"objective/kl", "objective/scores", "objective/rlhf_reward",
                             "policy/approxkl_avg", "policy/clipfrac_avg", "val/ratio",
                             "loss/policy_avg", "loss/value_avg", "lr", "episode"});
    EXPECT_EQ(metrics[0]["objective/kl"], 0) << "the first episodes come from the reference";
  }
  rlhf(ppo("ppo_still", {"--learning_rate", "0"}));
  EXPECT_EQ(content_of(at("ppo_still") / "model.safetensors"),
            content_of(at("sft") / "model.safetensors"));
  for (const json& line : metrics_of("ppo_still")) {
    EXPECT_EQ(line["val/ratio"], 1);
    EXPECT_EQ(line["policy/approxkl_avg"], 0);
  }
}

TEST_F(EndToEnd, OneSeedGivesTheSameBytesForAnyNumberOfThreads) {
  const auto models_of = [](const std::string& name, auto&& call) {
    std::vector<std::string> bytes;
    for (const int threads : {1, 2, 1}) {
      const std::string folder = name + std::to_string(bytes.size());
      const Finished done = rlhf(call(folder), threads);
      EXPECT_EQ(done.code, 0) << done.err;
      bytes.push_back(content_of(at(folder) / "model.safetensors"));
    }
    return bytes;
  };
  const std::vector<std::vector<std::string>> all{
      models_of("same_lm",
                [](auto& f) {
                  return pretrain(f, {"--dropout", "0.1"});
                }),
      models_of("same_sft", [](auto& f) { return sft(f); }),
      models_of("same_rm", [](auto& f) { return reward(f, "labels.jsonl", "bce"); }),
      models_of("same_ppo", [](auto& f) { return ppo(f); })};
  for (const auto& bytes : all) {
    EXPECT_GT(bytes[0].size(), 1000u);
    EXPECT_EQ(bytes[0], bytes[1]);
    EXPECT_EQ(bytes[0], bytes[2]);
  }
  rlhf(pretrain("other_seed", {"--seed", "7", "--dropout", "0.1"}));
  EXPECT_NE(content_of(at("other_seed") / "model.safetensors"), all[0][0]);
}

TEST_F(EndToEnd, GeneratesTheSameTextStreamedAndAsJson) {
  for (const char* model : {"lm", "lm_text_bpe"}) {
    if (std::string(model) == "lm_text_bpe") {
      rlhf(pretrain(model, {"--tokenizer", "bpe", "--vocab_size", "262"}));
    }
    const Arguments call{"generate", "--model_name_or_path", at(model), "--prompt",
                         "the film", "--max_new_tokens",     "12"};
    const json sampled = json_of(call + Arguments{"--json"});
    const json& result = sampled["results"][0];
    EXPECT_EQ(result["prompt"], "the film");
    EXPECT_EQ(result["tokens"].size(), result["log_probs"].size());
    EXPECT_EQ(result["finish_reason"] == "length", result["tokens"].size() == 12u);
    const Finished streamed = rlhf(call);
    EXPECT_EQ(streamed.code, 0);
    EXPECT_EQ(streamed.err, "");
    // A byte-pair model this young may sample control characters, which a terminal sees escaped.
    if (streamed.out.find('\\') == std::string::npos) {
      EXPECT_EQ(streamed.out, "the film" + result["text"].get<std::string>() + "\n");
    }
    EXPECT_EQ(json_of(call + Arguments{"--json"}), sampled) << "one seed, one text";
    EXPECT_NE(json_of(call + Arguments{"--json", "--seed", "2"}), sampled);
    const Arguments greedy{"--temperature", "0", "--json"};
    EXPECT_EQ(json_of(call + greedy), json_of(call + greedy + Arguments{"--seed", "2"}));
  }
}

TEST_F(EndToEnd, GeneratesForPromptsOfAFileAndForNone) {
  const Arguments call{"generate", "--model_name_or_path", at("lm"), "--max_new_tokens", "4"};
  const json many = json_of(call + Arguments{"--json", "--dataset_name", at("prompts.jsonl"),
                                             "--num_return_sequences", "2"});
  EXPECT_EQ(many["results"].size(), 72u);
  const json none = json_of(call + Arguments{"--json"});
  EXPECT_EQ(none["results"][0]["prompt"], "");
  const Finished plain = rlhf(call + Arguments{"--num_return_sequences", "3"});
  EXPECT_GE(std::count(plain.out.begin(), plain.out.end(), '\n'), 3);
}

TEST_F(EndToEnd, EvaluatesWhatTheModelAndTheColumnsSay) {
  const auto eval = [](const char* model, const std::string& data, const Arguments& more = {}) {
    return json_of(
        Arguments{"eval", "--model_name_or_path", at(model), "--dataset_name", at(data), "--json"} +
        more);
  };
  const json text = eval("lm", "corpus.txt");
  EXPECT_EQ(text["task"], "perplexity");
  EXPECT_NEAR(text["perplexity"], std::exp(text["val_loss"].get<double>()), 1e-9);
  EXPECT_EQ(text["tokens"].get<size_t>() + 1, content_of(at("corpus.txt")).size());
  EXPECT_NEAR(text["bits_per_byte"], text["val_loss"].get<double>() / std::log(2), 0.01);

  const json generation = eval("sft", "sft.jsonl", {"--max_new_tokens", "10"});
  EXPECT_EQ(generation["task"], "generation");
  for (const char* key : {"val_loss", "bleu", "rouge1", "rougeL", "distinct_2", "mean_length"}) {
    EXPECT_TRUE(generation[key].is_number()) << key;
  }
  const json pairs = eval("rm", "pairs.jsonl");
  EXPECT_EQ(pairs["task"], "pairs");
  EXPECT_EQ(pairs["pairs"], 36);
  EXPECT_GT(pairs["accuracy"], 0.9);

  const json labels = eval("rm", "labels.jsonl");
  EXPECT_EQ(labels["task"], "labels");
  EXPECT_GE(labels["accuracy"], 0.4);
  const json headless = eval("rm", "labels.tsv", {"--text_column", "0", "--label_column", "1"});
  EXPECT_EQ(headless, labels) << "the same rows in another form";

  const Finished table =
      rlhf({"eval", "--model_name_or_path", at("rm"), "--dataset_name", at("pairs.jsonl")});
  EXPECT_NE(table.out.find("accuracy"), std::string::npos);
}

TEST_F(EndToEnd, EvaluatesAnswersToPromptsByWhoeverIsNamed) {
  const auto eval = [](const char* model, const std::string& data, const Arguments& more = {}) {
    return json_of(Arguments{"eval", "--json", "--model_name_or_path", at(model), "--dataset_name",
                             at(data), "--temperature", "1", "--max_new_tokens", "8"} +
                   more);
  };
  const Arguments judges{"--ref_model",        at("sft"), "--reward_model_path", at("rm"),
                         "--judge_model_path", at("rm"),  "--reward_funcs",      "length:max=8"};
  const json same = eval("sft", "prompts.jsonl", judges);
  EXPECT_EQ(same["task"], "policy");
  EXPECT_EQ(same["prompts"], 36);
  EXPECT_EQ(same["kl"], 0) << "a model to itself";
  EXPECT_EQ(same["rewards/length/mean"], 0) << "eight tokens are the most";
  EXPECT_TRUE(same["rewards/model/mean"].is_number());
  EXPECT_LE(same["judge_positive"], 1);
  const json other = eval("lm", "prompts.jsonl", judges);
  EXPECT_GT(other["kl"], 0);
  EXPECT_EQ(other, eval("lm", "prompts.jsonl", judges)) << "the same seed";
  EXPECT_NE(eval("sft", "prompts.jsonl", judges + Arguments{"--condition", "fine "})["kl"], 0)
      << "the reference does not read the condition";
  EXPECT_FALSE(eval("lm", "prompts.jsonl").contains("kl"));

  const json given = eval("sft", "sft.jsonl",
                          {"--task", "policy", "--judge_completions", "--reward_funcs",
                           "length:target=7,unit=characters", "--ref_model", at("sft")});
  EXPECT_NEAR(given["rewards/length/mean"], 1, 1e-9) << "each is \" is xxxx.\"";
  EXPECT_NEAR(given["mean_length"], 10, 1e-9) << "a token a character, and the end token";
  EXPECT_FALSE(given.contains("kl")) << "nobody knows whose they are";
  write("silent.jsonl", "{\"prompt\": \"the film\", \"completion\": \"\"}\n");
  const json silent =
      eval("sft", "silent.jsonl", Arguments{"--task", "policy", "--judge_completions"} + judges);
  EXPECT_EQ(silent["mean_length"], 1) << "the end token";
  EXPECT_EQ(silent["rewards/length/mean"], 0) << "no token is not too many";
  EXPECT_TRUE(silent["rewards/model/mean"].is_number()) << "of the prompt alone";
  EXPECT_TRUE(silent["judge_positive"].is_number());
}

TEST_F(EndToEnd, EveryCommandExplainsItself) {
  for (const Command& command : commands()) {
    const Finished help = succeed({command.name, "--help"});
    EXPECT_EQ(help.err, "");
    EXPECT_NE(help.out.find("rlhf " + command.name), std::string::npos) << help.out;
    EXPECT_NE(help.out.find(command.summary), std::string::npos) << help.out;
    EXPECT_NE(help.out.find(command.example), std::string::npos) << help.out;
  }
  const DeviceReport gpu = gpu_report();
  const std::string cuda = json_of({"doctor", "--json"})["cuda"];
  EXPECT_EQ(cuda == "none in this build (CPU)", !has_cuda) << cuda;
  EXPECT_EQ(cuda == "emulated on the CPU (--device emulated)", gpu.emulated) << cuda;
}

}  // namespace
}  // namespace rlhf::end_to_end
