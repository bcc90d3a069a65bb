// The optimizer steps of an update, for whatever is learnt from: each on a minibatch, slice by
// slice, with what the steps that were taken come to.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rl/metric_means.h"
#include "rl/minibatches.h"

namespace rlhf {

class MinibatchTrainer {
 public:
  /// `policy` and `config` must outlive this. `terms`: the metrics that losses add to. `unit`: as
  /// in for_each_minibatch; no slice tears one apart. REQUIRES: config.per_device_train_batch_size
  /// >= unit.
  MinibatchTrainer(LanguageModel& policy, const PolicyConfig& config,
                   std::vector<std::string> terms, int64_t unit)
      : config_(config),
        names_(std::move(terms)),
        unit_(unit),
        trainer_(policy, training_config(config)),
        terms_(names_) {}

  /// config.num_iterations passes over an update's items. `loss(slice, minibatch, whole, terms)`:
  /// (1), divided by what the WHOLE minibatch holds, so that its slices add up to it; called on the
  /// tape of each slice. A step with no token to learn from is passed over. What losses add to
  /// `sums`, which may be more than StepSums, or to the terms counts unless the step is skipped.
  template <class Item, class Sums, class Loss>
  void learn(std::span<const Item> items, int64_t update, Sums& sums, const Loss& loss) {
    const int64_t size = config_.per_device_train_batch_size / unit_ * unit_;
    const auto step = [&](std::span<const Item* const> minibatch, int64_t) {
      const int64_t count = int64_t(minibatch.size());
      const StepSize whole{.episodes = count,
                           .tokens = count_learnt_tokens(minibatch),
                           .slices = (count + size - 1) / size};
      if (whole.tokens == 0) {
        trainer_.pass_over(1);
        return true;
      }
      const Sums before = sums;
      MetricMeans terms(names_);
      const Trainer::Step done = trainer_.step(whole.slices, [&](int64_t slice) {
        const int64_t first = slice * size;
        return loss(minibatch.subspan(size_t(first), size_t(std::min(size, count - first))),
                    minibatch, whole, terms);
      });
      if (done.skipped) {
        sums = before;
      } else {
        terms_.add(terms);
        sums.loss += done.loss;
        sums.grad_norm += done.grad_norm;
        sums.steps++;
      }
      sums.learning_rate = done.learning_rate;
      return true;
    };
    for_each_minibatch(items, config_, update, step, unit_);
  }

  /// The means of the terms since they were last taken, without skipped steps.
  Metrics take_terms() { return terms_.take(); }

  void archive(StateArchive& a) { trainer_.archive(a); }

 private:
  const PolicyConfig& config_;
  std::vector<std::string> names_;
  int64_t unit_;
  Trainer trainer_;
  MetricMeans terms_;
};

}  // namespace rlhf
