#include "serve/learning_plan.h"

#include "core/check.h"

namespace rlhf::serve {
namespace {

using Arguments = std::vector<std::string>;

LearningStage stage(const std::string& command, const LearningFiles& files,
                    const std::filesystem::path& data, const std::string& config) {
  LearningStage stage{.command = command, .arguments = {}, .output = files.output / command};
  stage.arguments = {command,
                     "--model_name_or_path",
                     files.base.string(),
                     "--dataset_name",
                     data.string(),
                     "--output_dir",
                     stage.output.string(),
                     "--seed",
                     std::to_string(files.seed)};
  if (!config.empty()) stage.arguments.insert(stage.arguments.end(), {"--config", config});
  return stage;
}

void add(LearningStage& stage, const Arguments& more) {
  stage.arguments.insert(stage.arguments.end(), more.begin(), more.end());
}

LearningStage from_pairs(const std::string& command, const LearningFiles& files,
                         const std::string& config) {
  LearningStage pairs = stage(command, files, files.preferences, config);
  if (!files.held_out.empty()) add(pairs, {"--eval_dataset_name", files.held_out.string()});
  return pairs;
}

}  // namespace

LearningMethod learning_method(const std::string& name) {
  if (name == "dpo") return LearningMethod::dpo;
  if (name == "ppo") return LearningMethod::ppo;
  input_error("method", "expected dpo or ppo, got \"{}\"", name);
}

std::string name_of(LearningMethod method) { return method == LearningMethod::dpo ? "dpo" : "ppo"; }

std::vector<LearningStage> learning_plan(const LearningSettings& settings,
                                         const LearningFiles& files) {
  if (settings.method == LearningMethod::dpo) {
    return {from_pairs("dpo", files, settings.dpo_config)};
  }
  LearningStage reward = from_pairs("reward", files, settings.reward_config);
  LearningStage ppo = stage("ppo", files, files.prompts, settings.ppo_config);
  add(ppo, {"--reward_model_path", reward.output.string()});
  if (settings.ppo_config.empty()) {
    add(ppo, {"--response_length", std::to_string(settings.response_length)});
  }
  return {std::move(reward), std::move(ppo)};
}

}  // namespace rlhf::serve
