#include "rl/classical/evaluation.h"

#include <algorithm>

#include "rl/classical/exploration.h"
#include "rl/running_statistics.h"

namespace rlhf::classical {

Evaluation evaluate(const Act& act, const MakeEnvironment& make, int64_t episodes, uint64_t seed) {
  if (episodes < 1) input_error("--eval_episodes", "expected at least 1, got {}", episodes);
  VectorEnvironment environments(make, episodes, seed);
  Evaluation result;
  result.returns.resize(size_t(episodes));
  std::vector<bool> played(static_cast<size_t>(episodes));
  std::vector<int64_t> action(static_cast<size_t>(episodes));
  int64_t left = episodes;
  for (int64_t step = 0; left > 0; step++) {
    act(environments.observations(), step, action);
    environments.step(action);
    for (const FinishedEpisode& episode : environments.finished()) {
      const size_t copy = size_t(episode.copy);
      if (played[copy]) continue;
      played[copy] = true;
      left--;
      result.returns[copy] = episode.episodic_return;
      result.length += double(episode.length);
    }
  }
  RunningStatistics statistics;
  statistics.add(result.returns);
  result.mean = statistics.mean();
  result.deviation = statistics.deviation();
  result.length /= double(episodes);
  const auto [min, max] = std::minmax_element(result.returns.begin(), result.returns.end());
  result.min = *min;
  result.max = *max;
  return result;
}

Act policy_of(const Agent& agent, bool greedy, uint64_t seed) {
  return [&agent, greedy, seed](std::span<const float> observations, int64_t step,
                                std::span<int64_t> actions) {
    const int64_t n = int64_t(actions.size());
    const std::vector<float> seen = agent.seen(observations);
    const Tensor there = Tensor::from(seen, {n, int64_t(seen.size()) / n});
    const std::vector<float> logits = agent.logits(there).to_vector<float>();
    greedy ? greedy_actions(logits, actions) : sample_actions(logits, seed, step, actions);
  };
}

}  // namespace rlhf::classical
