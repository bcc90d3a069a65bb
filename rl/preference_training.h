// What DPO, KTO, ORPO and SimPO share: steps over examples in an order drawn anew each epoch, with
// losses that are means over the whole step, evaluation by the same loss, and a watch on what the
// policy forgets meanwhile. An algorithm is its objective.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "nn/gpt2.h"
#include "rl/checkpoints.h"
#include "rl/metric_means.h"
#include "rl/preference_watch.h"
#include "rl/trainer.h"

namespace rlhf {

/// How long and how often; every algorithm's configuration begins with one.
struct PreferenceSchedule {
  TrainingConfig training;
  int64_t num_train_epochs = 1;  ///< used when training.max_steps is 0
  int64_t eval_steps = 0;        ///< steps between evaluations; 0: at the end only
  int64_t logging_steps = 10;
  /// Told in one line what looks wrong about the run (rl/preference_watch.h).
  std::function<void(const std::string& line)> on_alarm = [](const std::string&) {};
};

/// The loss of an algorithm over a set of examples.
class PreferenceObjective {
 public:
  virtual ~PreferenceObjective() = default;
  virtual int64_t size() const = 0;
  /// The metrics that losses add to.
  virtual std::vector<std::string> metric_names() const = 0;
  /// What is to be known of all examples of a step before the loss of its first micro-batch.
  virtual void begin(std::span<const int64_t> step) = 0;
  /// The part of the step's loss that some of its examples make: (1). The parts of a step add up to
  /// its loss, however it is cut.
  virtual Tensor loss(std::span<const int64_t> micro_batch, const StepState* training,
                      MetricMeans& seen) = 0;
  /// Adds what follows from the means of an interval.
  virtual void complete(Metrics&) const {}
};

struct PreferenceResult {
  double train_loss = 0;  ///< mean over the last logging interval
  Metrics train, eval;    ///< the last that were logged; eval without its prefix
  int64_t steps = 0;
  int64_t examples = 0;   ///< seen in training, repetitions included
  int64_t both_fell = 0;  ///< logging intervals with the alarm of that name
  double seconds = 0;
};

/// Trains in place. Metrics of training under TRL's names, means over a logging interval; those of
/// `eval`, where there is one, as `eval_...`. @throws InputError when there is nothing to train on.
PreferenceResult train_preferences(Gpt2& model, PreferenceObjective& train,
                                   PreferenceObjective* eval, const PreferenceSchedule& schedule,
                                   LikelihoodWatch watch, const OnStep& on_step,
                                   Checkpoints checkpoints);

/// 0, 1, ... below `count`.
std::vector<int64_t> all_examples(int64_t count);

/// Slices of at most `batch_size`, in order.
std::vector<std::span<const int64_t>> micro_batches(std::span<const int64_t> examples,
                                                    int64_t batch_size);

}  // namespace rlhf
