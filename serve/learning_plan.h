// What learning from votes runs: the commands that a person would type, one after another.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rlhf::serve {

enum class LearningMethod { dpo, ppo };

/// "dpo", "ppo". @throws InputError for another word.
LearningMethod learning_method(const std::string& name);
std::string name_of(LearningMethod method);

/// How policies are learnt; the files hold flags of those commands, as `--config` reads them.
struct LearningSettings {
  LearningMethod method = LearningMethod::dpo;
  std::string dpo_config, reward_config, ppo_config;  ///< empty: the commands' own defaults
  int64_t response_length = 64;                       ///< tokens, of PPO
};

/// What a learning reads and where it writes.
struct LearningFiles {
  std::filesystem::path base;         ///< model folder of the policy that learns
  std::filesystem::path preferences;  ///< pairs to learn from
  std::filesystem::path held_out;     ///< pairs to measure with; empty: none
  std::filesystem::path prompts;      ///< what PPO answers
  std::filesystem::path output;       ///< a folder for each stage, the policy's last
  uint64_t seed = 1;
};

struct LearningStage {
  std::string command;                 ///< "reward"
  std::vector<std::string> arguments;  ///< as after `rlhf`, the command first
  std::filesystem::path output;
};

/// DPO (Rafailov et al. 2023), or a reward model and PPO against it (Ouyang et al. 2022). The last
/// stage's output is the new policy.
std::vector<LearningStage> learning_plan(const LearningSettings& settings,
                                         const LearningFiles& files);

}  // namespace rlhf::serve
