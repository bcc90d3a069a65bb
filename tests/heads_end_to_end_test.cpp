// `rlhf actor_critic` and `rlhf hierarchical` as processes: what a run leaves, that other commands
// read it, resuming, refusals.
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

class HeadsEndToEnd : public Models {
 protected:
  static Arguments call(const std::string& command, const std::string& output,
                        const Arguments& more = {}) {
    const Arguments segments{"--subtasks",       "long=length:target=9; short=length:max=1",
                             "--segments",       "3",
                             "--segment_length", "3"};
    return episodes(command, output,
                    kRewardFunction + (command == "hierarchical" ? segments : kShort) + more);
  }
};

TEST_F(HeadsEndToEnd, AnActorCriticLeavesAModelThatOthersRead) {
  const Finished done = rlhf(call("actor_critic", "ac", {"--learning_rate", "1e-2"}));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(json_at(at("ac") / "config.json")["tie_word_embeddings"], false);
  const json line = metrics_of("ac").at(0);
  expect_keys(line, {"objective/scores", "objective/kl", "policy/entropy_avg", "loss/value_avg",
                     "val/explained_variance", "grad_norm", "lr"});
  EXPECT_EQ(rlhf({"generate", "--model_name_or_path", at("ac"), "--prompt", "a"}).code, 0);
  EXPECT_EQ(
      rlhf({"eval", "--model_name_or_path", at("ac"), "--dataset_name", at("corpus.txt")}).code, 0);
  const Finished again =
      rlhf({"reward", "--model_name_or_path", at("ac"), "--dataset_name", at("pairs.jsonl"),
            "--output_dir", at("rm_of_ac"), "--max_steps", "2"});
  EXPECT_EQ(again.code, 0) << again.err;
  const Finished judged =
      rlhf({"eval", "--model_name_or_path", at("rm_of_ac"), "--dataset_name", at("pairs.jsonl")});
  EXPECT_EQ(judged.code, 0) << judged.err;
}

TEST_F(HeadsEndToEnd, AHierarchyLeavesAPolicyThatSaysWhoWroteWhat) {
  const Finished done = rlhf(call("hierarchical", "h"));
  ASSERT_EQ(done.code, 0) << done.err;
  const json line = metrics_of("h").at(0);
  expect_keys(line, {"hierarchical/subtask/long", "hierarchical/subtask/short",
                     "hierarchical/intrinsic/long", "hierarchical/entropy",
                     "hierarchical/explained_variance", "objective/kl"});
  const Finished said =
      rlhf({"generate", "--model_name_or_path", at("h"), "--prompt", "a", "--json"});
  expect_refused({"generate", "--model_name_or_path", at("h"), "--weight_dtype", "int8"},
                 "[--weight_dtype] expected a policy of one level");
  ASSERT_EQ(said.code, 0) << said.err;
  const json result = json::parse(said.out)["results"][0];
  size_t tokens = 0;
  for (const json& segment : result["segments"]) {
    EXPECT_TRUE(segment["subtask"] == "long" || segment["subtask"] == "short");
    tokens += segment["tokens"].size();
  }
  EXPECT_EQ(tokens, result["tokens"].size());
  const Finished text = rlhf({"generate", "--model_name_or_path", at("h"), "--prompt", "a"});
  EXPECT_TRUE(text.out.find("[long]") != std::string::npos ||
              text.out.find("[short]") != std::string::npos)
      << text.out;
}

const Arguments kAdapters{"--use_peft", "true", "--lora_r", "2", "--train_trunk", "true"};

TEST_F(HeadsEndToEnd, AResumedRunIsTheSame) {
  const Arguments options{"--save_steps", "2", "--score_scaling", "mean_deviation"};
  expect_the_same_resumed("whole", 2, call("actor_critic", "whole", options));
  expect_the_same_resumed("levels", 2, call("hierarchical", "levels", options),
                          {"hierarchical.safetensors"});
  expect_the_same_resumed("adapted", 2, call("actor_critic", "adapted", options + kAdapters),
                          {"adapter_model.safetensors"});
  expect_the_same_resumed("adapted_levels", 2,
                          call("hierarchical", "adapted_levels", options + kAdapters),
                          {"adapter_model.safetensors", "hierarchical.safetensors"});
}

TEST_F(HeadsEndToEnd, AnActorCriticWithAdaptersLeavesOneThatOthersRead) {
  const Finished done =
      rlhf(call("actor_critic", "ac_lora", kAdapters + Arguments{"--learning_rate", "1e-2"}));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.err.find("heads beside the adapters: "), std::string::npos) << done.err;
  EXPECT_FALSE(fs::exists(at("ac_lora") / "model.safetensors"));
  EXPECT_EQ(json_at(at("ac_lora") / "adapter_config.json")["modules_to_save"],
            json::array({"lm_head"}));
  const std::string folder = at("ac_lora");
  const auto greedy = [](const std::string& model) {
    const Finished said = rlhf({"generate", "--model_name_or_path", model, "--prompt", "a",
                                "--temperature", "0", "--max_new_tokens", "8", "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    return said.code == 0 ? json::parse(said.out)["results"][0]["tokens"] : json();
  };
  const Finished merged =
      rlhf({"merge", "--model_name_or_path", folder, "--output_dir", at("ac_merged")});
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(json_at(at("ac_merged") / "config.json")["tie_word_embeddings"], false);
  EXPECT_EQ(greedy(at("ac_merged")), greedy(folder));
  const Arguments further{"--dataset_name", at("sft.jsonl"), "--max_steps", "2"};
  for (const Arguments& more : {Arguments{"--use_peft", "true"}, Arguments{}}) {
    const std::string output = more.empty() ? "sft_of_ac" : "sft_lora_of_ac";
    const Finished again =
        rlhf(Arguments{"sft", "--model_name_or_path", folder, "--output_dir", at(output)} +
             further + more);
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(fs::exists(at(output) / "adapter_config.json"), !more.empty());
    greedy(at(output));
  }
  EXPECT_EQ(json_at(at("sft_lora_of_ac") / "adapter_config.json")["modules_to_save"],
            json::array({"lm_head"}));
  for (const Arguments& command :
       {Arguments{"eval", "--dataset_name", at("corpus.txt")},
        Arguments{"reward", "--use_peft", "true", "--dataset_name", at("pairs.jsonl"),
                  "--output_dir", at("rm_of_ac_lora"), "--max_steps", "2"}}) {
    const Finished read = rlhf(command + Arguments{"--model_name_or_path", folder});
    EXPECT_EQ(read.code, 0) << read.err;
  }
}

TEST_F(HeadsEndToEnd, AHierarchyWithAdaptersIsReadAndMerged) {
  const Finished done = rlhf(call("hierarchical", "h_lora", kAdapters));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_TRUE(fs::exists(at("h_lora") / "adapter_model.safetensors"));
  EXPECT_FALSE(fs::exists(at("h_lora") / "model.safetensors"));
  const Finished merged =
      rlhf({"merge", "--model_name_or_path", at("h_lora"), "--output_dir", at("h_merged")});
  ASSERT_EQ(merged.code, 0) << merged.err;
  for (const std::string folder : {"h_lora", "h_merged"}) {
    const Finished said =
        rlhf({"generate", "--model_name_or_path", at(folder), "--prompt", "a", "--json"});
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_FALSE(json::parse(said.out)["results"][0]["segments"].empty()) << folder;
    const Finished judged = rlhf({"eval", "--task", "policy", "--model_name_or_path", at(folder),
                                  "--dataset_name", at("prompts.jsonl"), "--temperature", "1",
                                  "--max_new_tokens", "9", "--reward_funcs", "length:target=4"});
    EXPECT_EQ(judged.code, 0) << judged.err;
  }
}

TEST_F(HeadsEndToEnd, Refusals) {
  expect_refused(call("actor_critic", "out", {"--use_peft", "true"}),
                 "[--use_peft] expected --train_trunk true beside it");
  expect_refused(call("actor_critic", "out", {"--top_k", "5"}), "[--top_k] expected no filter");
  expect_refused(call("actor_critic", "out", {"--gradient_checkpointing", "true"}),
                 "[--gradient_checkpointing]");
  expect_refused(call("hierarchical", "out", {"--use_peft", "true"}),
                 "[--use_peft] expected --train_trunk true beside it");
  expect_refused(call("hierarchical", "out", {"--subtasks", "a=length:max=3"}), "at least two");
  expect_refused(call("hierarchical", "out", {"--subtasks", "love; hate"}), "name=description");
  expect_refused(call("hierarchical", "out", {"--segments", "100"}), "[prompts]");
  expect_refused(call("hierarchical", "out", {"--sample_past_end", "true"}), "[--sample_past_end]");
}

}  // namespace
}  // namespace rlhf::end_to_end
