// The memory that a run announces is about what it then takes, as the system counts it.
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

/// A model whose parameters are most of a process.
const Arguments kLarge{"--n_layer",    "6",  "--n_head",    "4", "--n_embd",     "320",
                       "--block_size", "64", "--max_steps", "1", "--save_steps", "0"};

class MemoryPlanEndToEnd : public Folder {
 protected:
  static void SetUpTestSuite() {
    Folder::SetUpTestSuite();
    write_data();
    ASSERT_EQ(succeed(pretrain("large", kLarge)).code, 0);
  }

  /// Announced and taken, in MB.
  static std::pair<double, double> memory_of(const Arguments& call) {
    const Finished done = succeed(call + Arguments{"--model_name_or_path", at("large"),
                                                   "--save_steps", "0", "--output_dir", at("out")});
    const size_t line = done.err.find("memory: ");
    EXPECT_NE(line, std::string::npos) << done.err;
    if (line == std::string::npos) return {0, 1};
    const std::string rest = done.err.substr(done.err.find("; ", line) + 2);
    EXPECT_NE(rest.find(" MB in all"), std::string::npos) << rest;
    const double taken = summary_of("out")["peak_rss_mb"];
    return {std::stod(rest), taken * 1.048576};
  }
};

TEST_F(MemoryPlanEndToEnd, IsWithinAQuarterOfWhatIsTaken) {
  const Arguments lora{"--use_peft", "true"}, batch{"--per_device_train_batch_size", "8"};
  const Arguments episodes{"--dataset_name",   at("prompts.jsonl"),
                           "--reward_funcs",   "keyword:good",
                           "--total_episodes", "16",
                           "--eval_prompts",   "4"};
  const Arguments sft =
      Arguments{"sft", "--dataset_name", at("sft.jsonl"), "--max_steps", "2"} + batch;
  const Arguments dpo =
      Arguments{"dpo", "--dataset_name", at("pairs.jsonl"), "--max_steps", "2"} + batch;
  const Arguments reward =
      Arguments{"reward", "--dataset_name", at("pairs.jsonl"), "--max_steps", "2"} + batch;
  const Arguments rloo = Arguments{"rloo", "--generation_batch_size", "16", "--num_generations",
                                   "4",    "--max_completion_length", "40"} +
                         episodes + batch;
  const Arguments ppo =
      Arguments{"ppo", "--episodes_per_update", "16", "--response_length", "40"} + episodes + batch;
  const Arguments heads =
      Arguments{"--generation_batch_size", "16", "--train_trunk", "true"} + episodes + batch;
  const Arguments actor_critic = Arguments{"actor_critic", "--max_completion_length", "40"} + heads;
  const Arguments hierarchical = Arguments{"hierarchical", "--segment_length", "10", "--subtasks",
                                           "a=length:max=3; b=length:target=9"} +
                                 heads;
  for (const Arguments& call : {sft, sft + lora, dpo, dpo + lora, reward, rloo, rloo + lora, ppo,
                                actor_critic, actor_critic + lora, hierarchical + lora}) {
    const auto [announced, taken] = memory_of(call);
    const bool adapters = call.back() == "true";
    SCOPED_TRACE(call.front() + (adapters ? " with adapters" : ""));
    RecordProperty(call.front() + (adapters ? "_lora" : ""), std::to_string(announced / taken));
    EXPECT_GT(announced, 0.75 * taken);
    EXPECT_LT(announced, 1.25 * taken);
  }
}

}  // namespace
}  // namespace rlhf::end_to_end
