// The whole journey on a GPU, as a person would take it: pretrain, sft, reward, ppo, generate,
// eval.
#include <set>

#include "apps/device_flags.h"
#include "tests/gpu.h"
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

class DeviceEndToEnd : public Folder {
 protected:
  static void SetUpTestSuite() {
    Folder::SetUpTestSuite();
    write_data();
  }

  /// The names of all that a run has logged.
  static std::set<std::string> names_of(const std::string& run) {
    std::set<std::string> names;
    for (const json& line : metrics_of(run)) {
      for (const auto& [name, value] : line.items()) names.insert(name);
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
    succeed(pretrain(name + "lm", few + device + Arguments{"--n_embd", "8", "--save_steps", "2"}));
    const Arguments batch{"--per_device_train_batch_size", "4"};
    succeed(run_of("sft", name + "lm", "sft.jsonl", name + "sft") + batch + few + device);
    succeed(run_of("reward", name + "lm", "pairs.jsonl", name + "rm") + batch + few + device);
    succeed(run_of("ppo", name + "sft", "prompts.jsonl", name + "ppo") +
            Arguments{"--reward_model_path", at(name + "rm"), "--total_episodes", "4",
                      "--episodes_per_update", "4", "--num_ppo_epochs", "1", "--response_length",
                      "4", "--eval_prompts", "2"} +
            device);
    succeed(Arguments{"generate", "--model_name_or_path", at(name + "ppo"), "--prompt", "the",
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
      std::set<std::string> extra = names_of(name + kind);
      for (const std::string& known : names_of("cpu_" + kind)) {
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
    return json_at(at(folder) / "config.json")["dtype"];
  };
  EXPECT_EQ(type("gpu_ppo"), "float32");
  EXPECT_EQ(type("bf16_ppo"), "bfloat16");
  // What one device has written the other reads.
  succeed({"eval", "--model_name_or_path", at("bf16_lm"), "--dataset_name", at("corpus.txt"),
           "--device", "cpu"});
  succeed(Arguments{"eval", "--model_name_or_path", at("cpu_rm"), "--dataset_name",
                    at("labels.jsonl")} +
          gpu());
}

TEST_F(DeviceEndToEnd, ADeviceThatIsNotThereIsRefusedInOneLine) {
  const bool usable = gpu_report().problem.empty();
  const std::string missing = !usable || gpu_report().emulated ? "cuda" : "emulated";
  const std::string line = refusal(pretrain("out", {"--device", missing}));
  EXPECT_NE(line.find("use --device"), std::string::npos) << line;
}

TEST_F(DeviceEndToEnd, OnTheCpuBfloat16IsOfProductsAlone) {
  take_the_journey("cpu_", {"--device", "cpu"});
  take_the_journey("products_", {"--device", "cpu", "--bf16"});
  for (const std::string kind : {"lm", "sft", "rm", "ppo"}) {
    EXPECT_EQ(files_of("products_" + kind), files_of("cpu_" + kind)) << kind;
    EXPECT_EQ(names_of("products_" + kind), names_of("cpu_" + kind)) << kind;
    EXPECT_EQ(json_at(at("products_" + kind) / "config.json")["dtype"], "float32") << kind;
    EXPECT_NE(content_of(at("products_" + kind) / "model.safetensors"),
              content_of(at("cpu_" + kind) / "model.safetensors"))
        << kind;
  }
}

}  // namespace
}  // namespace rlhf::end_to_end
