// One run of `rlhf gym`: an agent learns in an environment, is saved, evaluated and reported.
#pragma once

#include <string>

#include "apps/checkpoint_flags.h"
#include "apps/gym_evaluation.h"
#include "apps/gym_folder.h"
#include "apps/gym_hyperparameters.h"

namespace rlhf {

struct GymOptions {
  std::string algo, env, output_dir, load, seeds;
  std::vector<std::string> env_option;  ///< key=value
  uint64_t seed = 1;
  int64_t eval_episodes = 100;
  GymHyperparameters hyperparameters;
  CheckpointFlags checkpoint{.save_steps = -1};

  /// @throws InputError for an option that is not key=value.
  EnvironmentOptions environment_options() const;
};

/// Makes copies of an environment; what is wrong with id or options is said at once.
MakeEnvironment environment_maker(const std::string& id, const EnvironmentOptions& options);

/// Episodes of evaluation have nothing in common with those of training.
uint64_t evaluation_seed(uint64_t seed);

/// The call with the hyper-parameters that its algorithm will use in place of those typed.
/// @throws InputError for those that it does not have or take.
Invocation resolved(const GymOptions& options, const Invocation& typed);

/// Trains with the seed and into the folder of `options`. @returns how good the agent has become.
GymEvaluation train_gym_agent(const GymOptions& options, const Invocation& invocation);

}  // namespace rlhf
