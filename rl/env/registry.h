// Environments by the ids that Gymnasium has for them.
#pragma once

#include <string>
#include <vector>

#include "rl/env/any_environment.h"
#include "rl/env/options.h"

namespace rlhf {

/// Every known id, sorted.
std::vector<std::string> environment_ids();

/// Makes an environment, with options under the names of Gymnasium's arguments, as `is_slippery`,
/// `map_name`, `desc` (rows separated by '/' or ',') or `n_bits`; each takes `max_episode_steps`
/// (0: no limit).
/// @throws InputError for an unknown id or option, naming the nearest and all there are, and for
/// values that an environment does not take.
AnyEnvironment make_environment(const std::string& id, const EnvironmentOptions& options = {});

}  // namespace rlhf
