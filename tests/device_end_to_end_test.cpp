// The whole journey on a GPU, as a person would take it: pretrain, sft, reward, ppo, generate,
// eval.
#include <set>

#include "apps/device_flags.h"
#include "tests/end_to_end.h"
#include "tests/gpu.h"

namespace rlhf::end_to_end {
namespace {

class DeviceEndToEnd : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = (fs::temp_directory_path() / "rlhf_device_XXXXXX").string();
    root = mkdtemp(name.data());
    write_data();
  }
  static void TearDownTestSuite() { fs::remove_all(root); }

  static void expect_run(const Arguments& call) {
    const Finished done = rlhf(call);
    ASSERT_EQ(done.code, 0) << done.err;
  }

  /// The names of all that a run has logged.
  static std::set<std::string> metrics_of(const std::string& folder) {
    std::set<std::string> names;
    std::istringstream text(content_of(at(folder) / "metrics.jsonl"));
    for (std::string line; std::getline(text, line);) {
      const json metrics = json::parse(line);
      for (const auto& [name, value] : metrics.items()) names.insert(name);
    }
    return names;
  }

  static std::set<std::string> files_of(const std::string& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(at(folder))) {
      const std::string name = entry.path().filename();
      if (!name.starts_with("events")) names.insert(name);
    }
    return names;
  }

  /// Everything once, in folders that begin with `name`.
  static void take_the_journey(const std::string& name, const Arguments& device) {
    const Arguments few{"--max_steps", "3", "--logging_steps", "1"};
    expect_run(
        pretrain(name + "lm", few + device + Arguments{"--n_embd", "8", "--save_steps", "2"}));
    expect_run(Arguments{"sft", "--model_name_or_path", at(name + "lm"), "--dataset_name",
                         at("sft.jsonl"), "--output_dir", at(name + "sft"),
                         "--per_device_train_batch_size", "4"} +
               few + device);
    expect_run(Arguments{"reward", "--model_name_or_path", at(name + "lm"), "--dataset_name",
                         at("pairs.jsonl"), "--output_dir", at(name + "rm"),
                         "--per_device_train_batch_size", "4"} +
               few + device);
    expect_run(Arguments{"ppo", "--model_name_or_path", at(name + "sft"), "--reward_model_path",
                         at(name + "rm"), "--dataset_name", at("prompts.jsonl"), "--output_dir",
                         at(name + "ppo"), "--total_episodes", "4", "--episodes_per_update", "4",
                         "--num_ppo_epochs", "1", "--response_length", "4", "--eval_prompts", "2"} +
               device);
    expect_run(Arguments{"generate", "--model_name_or_path", at(name + "ppo"), "--prompt", "the",
                         "--max_new_tokens", "4"} +
               device);
  }

  static Arguments gpu(const Arguments& more = {}) {
    return Arguments{"--device", gpu_report().emulated ? "emulated" : "cuda"} + more;
  }
};

TEST_F(DeviceEndToEnd, TheSameCommandsFilesAndMetricsAsOnTheCpu) {
  RLHF_NEEDS_GPU();
  take_the_journey("cpu_", {"--device", "cpu"});
  take_the_journey("gpu_", gpu());
  take_the_journey("bf16_", gpu({"--bf16"}));
  for (const std::string kind : {"lm", "sft", "rm", "ppo"}) {
    for (const std::string name : {"gpu_", "bf16_"}) {
      EXPECT_EQ(files_of(name + kind), files_of("cpu_" + kind)) << name << kind;
      std::set<std::string> extra = metrics_of(name + kind);
      for (const std::string& known : metrics_of("cpu_" + kind)) {
        EXPECT_EQ(extra.erase(known), 1u) << known << " of " << kind;
      }
      if (kind == "ppo") {
        EXPECT_EQ(extra, (std::set<std::string>{"sampling/sampling_logp_difference/max",
                                                "sampling/sampling_logp_difference/mean"}));
      } else {
        EXPECT_TRUE(extra.empty()) << kind;
      }
    }
  }
  const auto type = [](const std::string& folder) {
    return json::parse(content_of(at(folder) / "config.json"))["dtype"];
  };
  EXPECT_EQ(type("gpu_ppo"), "float32");
  EXPECT_EQ(type("bf16_ppo"), "bfloat16");
  // What one device has written the other reads.
  expect_run({"eval", "--model_name_or_path", at("bf16_lm"), "--dataset_name", at("corpus.txt"),
              "--device", "cpu"});
  expect_run(Arguments{"eval", "--model_name_or_path", at("cpu_rm"), "--dataset_name",
                       at("labels.jsonl")} +
             gpu());
}

TEST_F(DeviceEndToEnd, ADeviceThatIsNotThereIsRefusedInOneLine) {
  const bool usable = gpu_report().problem.empty();
  const std::string missing = !usable || gpu_report().emulated ? "cuda" : "emulated";
  for (const Arguments& call :
       {pretrain("none", {"--device", missing}), pretrain("none", {"--device", "cpu", "--bf16"})}) {
    const Finished done = rlhf(call);
    EXPECT_EQ(done.code, 2);
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
    EXPECT_TRUE(done.err.find("use --device") != std::string::npos ||
                done.err.find("[--bf16]") != std::string::npos)
        << done.err;
    EXPECT_FALSE(fs::exists(at("none")));
  }
}

}  // namespace
}  // namespace rlhf::end_to_end
