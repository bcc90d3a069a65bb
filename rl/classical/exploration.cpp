#include "rl/classical/exploration.h"

#include <algorithm>
#include <cmath>

#include "kernels/philox.h"

namespace rlhf::classical {

Schedule exploration(double start_e, double end_e, double fraction, int64_t total_timesteps) {
  return {.kind = ScheduleKind::linear,
          .peak = start_e,
          .floor = end_e,
          .total_steps = int64_t(fraction * double(total_timesteps))};
}

void sample_actions(std::span<const float> logits, uint64_t seed, int64_t step,
                    std::span<int64_t> action) {
  const size_t actions = logits.size() / action.size();
  for (size_t i = 0; i < action.size(); i++) {
    const std::span<const float> row = logits.subspan(i * actions, actions);
    const float largest = *std::max_element(row.begin(), row.end());
    double mass = 0;
    for (const float logit : row) mass += std::exp(logit - largest);
    const PhiloxWords words =
        random_words(seed, RandomStream::exploration, uint32_t(i), 0, uint64_t(step));
    double left = unit_double(words[0], words[1]) * mass;
    size_t chosen = 0;
    for (; chosen + 1 < actions; chosen++) {
      left -= std::exp(row[chosen] - largest);
      if (left < 0) break;
    }
    action[i] = int64_t(chosen);
  }
}

void greedy_actions(std::span<const float> logits, std::span<int64_t> action) {
  const size_t actions = logits.size() / action.size();
  for (size_t i = 0; i < action.size(); i++) {
    const auto row = logits.begin() + int64_t(i * actions);
    action[i] = std::max_element(row, row + int64_t(actions)) - row;
  }
}

}  // namespace rlhf::classical
