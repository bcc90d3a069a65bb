// A trained agent on disk: model.safetensors with what it learnt, config.json with what it is.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "apps/flags.h"
#include "core/safetensors.h"
#include "rl/env/options.h"

namespace rlhf {

/// config.json of an agent.
struct GymConfig {
  std::string algo, env;
  EnvironmentOptions env_options;
  uint64_t seed = 1;
  nlohmann::ordered_json hyperparameters;  ///< by flag

  nlohmann::ordered_json json() const;
};

/// All of it or nothing (StagedFolder).
void save_gym_agent(const std::filesystem::path& folder, const GymConfig& config,
                    const std::vector<NamedTensor>& tensors);

/// The content of such a file. @throws InputError "[source] ..." naming what is missing or of
/// another kind.
GymConfig parse_gym_config(std::string_view text, std::string_view source);

/// @throws InputError likewise, and when there is no such file.
GymConfig read_gym_config(const std::filesystem::path& folder);

/// Fills an untrained agent's tensors. @throws InputError naming the first one that the file lacks
/// or that is of another shape.
void load_gym_tensors(const std::filesystem::path& folder, const std::vector<NamedTensor>& tensors);

}  // namespace rlhf
