// The second half of an update for algorithms without a critic: optimizer steps on whatever loss
// the algorithm makes of the log-probabilities of its responses.
#pragma once

#include <functional>
#include <span>

#include "rl/minibatches.h"
#include "rl/policy_metrics.h"

namespace rlhf {

class PolicyOptimiser {
 public:
  /// The loss of a slice of an optimizer step's episodes, from log pi(a_t | s_t) of their response
  /// tokens (N), episode after episode, and padding behind them: (1). Divided by what the WHOLE
  /// step holds, so that slices add up to it.
  using Loss = std::function<Tensor(const Tensor& log_prob, std::span<const Episode* const> slice,
                                    const StepSize& whole)>;

  /// `policy` and `config` must outlive this. `clip`: where the loss clips, for the record. `unit`:
  /// episodes side by side that the loss compares, and that no slice tears apart: 2 for pairs.
  /// REQUIRES: config.per_device_train_batch_size >= unit.
  PolicyOptimiser(LanguageModel& policy, const PolicyConfig& config, ClipRange clip, Loss loss,
                  int64_t unit = 1);

  /// config.num_iterations passes over an update's episodes.
  PolicyStatistics learn(std::span<const Episode> episodes, int64_t update);
  void archive(StateArchive& a) { trainer_.archive(a); }

 private:
  Tensor slice_loss(std::span<const Episode* const> slice, const StepSize& whole,
                    PolicyStatistics& statistics) const;

  LanguageModel& policy_;
  const PolicyConfig& config_;
  ClipRange clip_;
  Loss loss_;
  int64_t unit_;
  Trainer trainer_;
};

}  // namespace rlhf
