#include "rl/ppo_advantages.h"

#include "rl/token_advantages.h"
#include "rl/whitening.h"

namespace rlhf {
namespace {

void advance(std::vector<Episode>& episodes, const PpoConfig& config, bool whitens, Device device) {
  if (whitens && config.whiten_rewards) {
    whiten(episodes, &Episode::reward, /*shift_mean=*/false, device);
  }
  estimate_advantages(episodes, config.gamma, config.lambda, device);
  if (whitens && config.whiten_advantages) {
    whiten(episodes, &Episode::advantage, /*shift_mean=*/true, device);
  }
}

}  // namespace

void assign_rewards(std::vector<Episode>& episodes, double kl_coefficient, const PpoConfig& config,
                    Device device) {
  set_token_rewards(episodes, kl_coefficient, config.kl_estimator, config.kl_bounds);
  advance(episodes, config, config.whiten_scope == WhitenScope::batch, device);
}

std::vector<Episode> whitened_minibatch(std::span<const Episode* const> episodes,
                                        const PpoConfig& config, Device device) {
  std::vector<Episode> copies;
  for (const Episode* e : episodes) copies.push_back(*e);
  advance(copies, config, true, device);
  return copies;
}

}  // namespace rlhf
