// The second half of an update for algorithms without a critic: optimizer steps on whatever loss
// the algorithm makes of the log-probabilities of its responses.
#pragma once

#include <functional>
#include <span>

#include "rl/minibatch_trainer.h"
#include "rl/policy_metrics.h"

namespace rlhf {

class PolicyOptimiser {
 public:
  /// The loss of a slice of an optimizer step's episodes, from log pi(a_t | s_t) of their response
  /// tokens (N), episode after episode, and padding behind them: (1). Divided by what the WHOLE
  /// step holds, so that slices add up to it. It may add to `terms`.
  using Loss = std::function<Tensor(const Tensor& log_prob, std::span<const Episode* const> slice,
                                    const StepSize& whole, MetricMeans& terms)>;

  /// `policy` and `config` must outlive this. `clip`: where the loss clips, for the record.
  /// `terms`, `unit`: as in MinibatchTrainer; a unit of 2 are pairs that the loss compares.
  PolicyOptimiser(LanguageModel& policy, const PolicyConfig& config, ClipRange clip, Loss loss,
                  std::vector<std::string> terms = {}, int64_t unit = 1);

  /// config.num_iterations passes over an update's episodes.
  PolicyStatistics learn(std::span<const Episode> episodes, int64_t update);
  Metrics take_terms() { return trainer_.take_terms(); }
  void archive(StateArchive& a) { trainer_.archive(a); }

 private:
  Tensor slice_loss(std::span<const Episode* const> slice, const StepSize& whole,
                    PolicyStatistics& statistics, MetricMeans& terms) const;

  LanguageModel& policy_;
  const PolicyConfig& config_;
  ClipRange clip_;
  Loss loss_;
  MinibatchTrainer trainer_;
};

}  // namespace rlhf
