#include "rl/ppo_advantages.h"

#include "kernels/gae.h"
#include "kernels/run.h"
#include "kernels/whiten.h"

namespace rlhf {
namespace {

void whiten(std::vector<Episode>& episodes, std::vector<float> Episode::*field, bool shift_mean) {
  const std::vector<float> flat = flatten(pointers(episodes), field);
  const std::vector<float> mask(flat.size(), 1);
  std::vector<float> out(flat.size());
  run(Device::cpu,
      Whiten<float>{out.data(), flat.data(), mask.data(), int64_t(flat.size()), shift_mean});
  scatter(out, episodes, field);
}

void estimate_advantages(std::vector<Episode>& episodes, float gamma, float lambda) {
  for (Episode& e : episodes) {
    const int32_t length = int32_t(e.length());
    e.advantage.resize(e.response.size());
    e.returns.resize(e.response.size());
    run(Device::cpu, Gae<float>{.advantages = e.advantage.data(),
                                .returns = e.returns.data(),
                                .rewards = e.reward.data(),
                                .values = e.value.data(),
                                .length = &length,
                                .B = 1,
                                .T_max = length,
                                .gamma = gamma,
                                .lambda = lambda});
  }
}

void advance(std::vector<Episode>& episodes, const PpoConfig& config, bool whitens) {
  if (whitens && config.whiten_rewards) whiten(episodes, &Episode::reward, /*shift_mean=*/false);
  estimate_advantages(episodes, config.gamma, config.lambda);
  if (whitens && config.whiten_advantages) {
    whiten(episodes, &Episode::advantage, /*shift_mean=*/true);
  }
}

}  // namespace

void assign_rewards(std::vector<Episode>& episodes, double kl_coefficient,
                    const PpoConfig& config) {
  for (Episode& e : episodes) {
    e.reward.resize(e.response.size());
    for (size_t t = 0; t < e.response.size(); t++) {
      const double d = double(e.log_prob[t]) - double(e.ref_log_prob[t]);
      e.reward[t] = float(-kl_coefficient * kl_estimate(config.kl_estimator, d, config.kl_bounds));
    }
    e.reward.back() += float(e.score);
  }
  advance(episodes, config, config.whiten_scope == WhitenScope::batch);
}

std::vector<Episode> whitened_minibatch(std::span<const Episode* const> episodes,
                                        const PpoConfig& config) {
  std::vector<Episode> copies;
  for (const Episode* e : episodes) copies.push_back(*e);
  advance(copies, config, true);
  return copies;
}

}  // namespace rlhf
