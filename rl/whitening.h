// Whitening of a number that every response token has: rewards, advantages.
#pragma once

#include <vector>

#include "rl/rollout.h"

namespace rlhf {

/// Scales a field of all episodes' tokens to variance 1 (population), and shifts it to mean 0 or
/// not. The kernel runs on `device`.
void whiten(std::vector<Episode>& episodes, std::vector<float> Episode::*field, bool shift_mean,
            Device device);

}  // namespace rlhf
