#include "rl/token_advantages.h"

#include <algorithm>

#include "kernels/gae.h"
#include "kernels/run.h"

namespace rlhf {
namespace {

/// One field of all episodes as a rectangle (episodes, longest), zeros behind the shorter ones.
Tensor rectangle(const std::vector<Episode>& episodes, std::vector<float> Episode::*field,
                 int64_t longest, Device device) {
  std::vector<float> values(episodes.size() * size_t(longest), 0);
  for (size_t b = 0; b < episodes.size(); b++) {
    const std::vector<float>& row = episodes[b].*field;
    std::copy(row.begin(), row.end(), values.begin() + int64_t(b) * longest);
  }
  return Tensor::from(values, {int64_t(episodes.size()), longest}, device);
}

void take_rows(const Tensor& rectangle, std::vector<Episode>& episodes,
               std::vector<float> Episode::*field) {
  const std::vector<float> values = rectangle.to_vector<float>();
  for (size_t b = 0; b < episodes.size(); b++) {
    const auto row = values.begin() + int64_t(b) * rectangle.shape()[1];
    (episodes[b].*field).assign(row, row + episodes[b].length());
  }
}

}  // namespace

void set_token_rewards(std::vector<Episode>& episodes, double kl_coefficient, KlEstimator estimator,
                       const KlBounds& bounds, double score_weight) {
  for (Episode& e : episodes) {
    e.reward.resize(e.response.size());
    for (size_t t = 0; t < e.response.size(); t++) {
      const double d = double(e.log_prob[t]) - double(e.ref_log_prob[t]);
      e.reward[t] = float(-kl_coefficient * kl_estimate(estimator, d, bounds));
    }
    e.reward.back() += float(score_weight * e.score);
  }
}

void estimate_advantages(std::vector<Episode>& episodes, float gamma, float lambda, Device device) {
  std::vector<int32_t> length;
  for (const Episode& e : episodes) length.push_back(int32_t(e.length()));
  const int64_t B = int64_t(episodes.size());
  const int64_t T = length.empty() ? 0 : *std::max_element(length.begin(), length.end());
  const Tensor rewards = rectangle(episodes, &Episode::reward, T, device);
  const Tensor values = rectangle(episodes, &Episode::value, T, device);
  const Tensor lengths = Tensor::from(length, {B}, device);
  const Tensor advantages = Tensor::empty({B, T}, DType::f32, device);
  const Tensor returns = Tensor::empty({B, T}, DType::f32, device);
  run(device, Gae<float>{.advantages = advantages.data<float>(),
                         .returns = returns.data<float>(),
                         .rewards = rewards.data<float>(),
                         .values = values.data<float>(),
                         .length = lengths.data<int32_t>(),
                         .B = B,
                         .T_max = T,
                         .gamma = gamma,
                         .lambda = lambda});
  take_rows(advantages, episodes, &Episode::advantage);
  take_rows(returns, episodes, &Episode::returns);
}

}  // namespace rlhf
