// What an agent has lived through, as rows to learn from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "rl/classical/agent.h"
#include "rl/classical/episode_log.h"
#include "rl/env/normalisation.h"
#include "rl/env/vector_environment.h"

namespace rlhf::classical {

/// Steps of several environments: row environment * steps + t is step t of one of them.
struct Rollout {
  int64_t environments = 0, steps = 0, observation_size = 0;
  std::vector<float> observation;  ///< (rows, observation_size), as the agent has seen them
  std::vector<float> logits;       ///< (rows, actions)
  std::vector<int32_t> action;
  std::vector<float> log_prob;            ///< of the action, when it was chosen
  std::vector<float> value;               ///< V(observation); 0 without a critic
  std::vector<float> reward;              ///< see RolloutCollector::collect
  std::vector<int32_t> end;               ///< 1: the episode's last step
  std::vector<int32_t> terminated;        ///< 1: its last step, and not because time was up
  std::vector<float> bootstrap;           ///< (environments), V of what follows the last step
  std::vector<float> advantage, returns;  ///< by estimate_advantages
  int64_t rows() const { return int64_t(action.size()); }
};

/// A collector teaches the agent's normalisation, where it has one, what it acts on.
class RolloutCollector {
 public:
  /// `normalisation`: rewards are divided by it, and clipped to 10; without it they are those of
  /// the environment.
  RolloutCollector(const MakeEnvironment& make, int64_t copies, uint64_t seed,
                   std::optional<RewardNormalisation> normalisation = {});

  /// `steps` steps of every copy, going on where the last rollout ended. An episode that its time
  /// limit has ended is not one whose task has: gamma V(its last observation) is added to its last
  /// reward (Pardo et al. 2018, section 3.2), where CleanRL takes 0.
  Rollout collect(Agent& agent, int64_t steps, float gamma);

  /// Whole episodes of the only copy, until it has taken `until` steps since the run began; none
  /// when it has; nothing is added to rewards. (Copies in parallel would favour short episodes, or
  /// leave long ones to be learnt from when their policy has gone.)
  Rollout collect_episodes(Agent& agent, int64_t until);

  int64_t observation_size() const { return environments_.observation_size(); }
  int64_t actions() const { return environments_.actions(); }
  Progress progress() const {
    return {steps_ * environments_.copies(), episodes_.count(), episodes_.recent_mean()};
  }
  /// Of the episodes that have ended since it was last asked.
  void report(Metrics& metrics) { episodes_.report(metrics); }
  void archive(StateArchive& a);

 private:
  Rollout begin(int64_t rows) const;
  /// Those of the environments' last step.
  std::vector<float> learnt_rewards();
  /// Acts once in every copy; copy i's step is row `first + i * stride`.
  void step(Agent& agent, Rollout& rollout, int64_t first, int64_t stride);
  void complete(const Agent& agent, Rollout& rollout) const;

  VectorEnvironment environments_;
  std::optional<RewardNormalisation> normalisation_;
  uint64_t seed_;
  int64_t steps_ = 0;  // of each copy
  EpisodeLog episodes_;
  std::vector<int64_t> action_;
};

/// Generalised advantages and their returns (kernels/gae.h).
void estimate_advantages(Rollout& rollout, float gamma, float lambda);

/// Mean 0 and variance 1 (kernels/whiten.h).
void whiten(std::vector<float>& values);

/// The share of the variance of returns that values explain: 1 - var(returns - values) /
/// var(returns); NaN when returns do not vary.
double explained_variance(const Rollout& rollout);

/// Rows of a rollout as an agent's losses read them: (N) each, observation (N, size).
struct MiniBatch {
  Tensor observation, action, log_prob, value, advantage, returns;
  int64_t count() const { return action.count(); }
};

/// The rows that `row` names, advantages whitened among themselves on request, where the agent
/// lives and in its type. REQUIRES: estimate_advantages has seen the rollout.
MiniBatch minibatch(const Rollout& rollout, std::span<const int64_t> row, bool whitened,
                    const Agent& agent);
/// All rows.
MiniBatch minibatch(const Rollout& rollout, bool whitened, const Agent& agent);

}  // namespace rlhf::classical
