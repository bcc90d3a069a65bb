// One optimizer step, the part that every kind of training shares: micro-batches forward and
// backward on a tape, then the schedule, clipping and the update.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/mirror.h"
#include "core/recorder.h"
#include "nn/lora.h"
#include "nn/optimizer.h"
#include "nn/schedule.h"
#include "rl/interval_mean.h"
#include "rl/outliers.h"
#include "rl/run/metrics_log.h"

namespace rlhf {

/// Told after every step; `total` is the number of steps of the whole phase.
using OnStep = std::function<void(int64_t step, int64_t total, const Metrics& metrics)>;

/// The defaults are those of nanoGPT's small character-level run, which `pretrain` documents.
struct TrainingConfig {
  int64_t max_steps = 2000;
  int64_t batch_size = 12;                  ///< sequences in a micro-batch
  int64_t gradient_accumulation_steps = 1;  ///< micro-batches in a step
  Schedule schedule{.kind = ScheduleKind::cosine, .peak = 1e-3, .floor = 1e-4, .warmup_steps = 100};
  OptimizerConfig optimizer{
      .beta1 = 0.9f, .beta2 = 0.99f, .weight_decay = 0.1f, .max_grad_norm = 1.0f};
  std::vector<std::string> frozen;  ///< parameters whose names begin so are not trained
  /// Skips the update of a step whose loss or gradient norm lies so many standard deviations above
  /// the last 128 steps', or is not finite; 0: never, and the latter ends the run.
  double skip_outliers = 0;
  /// On a GPU: a pass of a shape that has been seen before is recorded and replayed.
  bool cuda_graphs = true;
  uint64_t seed = 42;
};

class Trainer {
 public:
  struct Step {
    double loss = 0;  ///< summed over micro-batches: the mean over the whole step
    double grad_norm = 0;
    double learning_rate = 0;
    bool skipped = false;  ///< the parameters are as they were
    bool vetoed = false;   ///< likewise
  };
  /// So many steps skipped in a row end the run: then it is not the batch that is bad.
  static constexpr int64_t kMostSkipped = 5;

  /// The loss of one micro-batch, divided by the tokens (or pairs) of the WHOLE step, so that
  /// accumulation gives exactly the gradient of one large batch.
  using MicroBatchLoss = std::function<Tensor(int64_t micro_batch)>;

  /// The same as a function of tensors, with what else is to be read of a micro-batch.
  struct LossTensors {
    LossTensors(Tensor loss, std::vector<Tensor> seen = {})
        : loss(std::move(loss)), seen(std::move(seen)) {}
    Tensor loss;  ///< (1)
    std::vector<Tensor> seen;
  };
  using TensorLoss = std::function<LossTensors(const std::vector<Tensor>& inputs)>;
  /// A loss that a GPU records, forward and backward pass, once for each shape of its inputs, and
  /// replays (core/recorder.h, which says what such a function may not do). Which parameters it
  /// reads does not depend on the shapes. It belongs to one trainer and must not outlive it.
  class RecordedLoss {
   public:
    RecordedLoss(Trainer& trainer, TensorLoss loss);

   private:
    friend class Trainer;
    /// What a pass does to the flags of the gradients: what overwrites one that nobody has written
    /// yet adds to it in a later micro-batch, so that the two are different launches.
    struct Flags {
      std::vector<bool> before, after;
    };
    Recorder::Work work_;
    std::string name_;
    std::vector<Flags> flags_;
  };

  /// One micro-batch: a loss, what it is the loss of, and who reads what else came out.
  struct MicroBatch {
    RecordedLoss& loss;
    std::vector<Tensor> inputs;  ///< on the host or on the model's device
    /// Called with LossTensors::seen behind the backward pass; may be empty.
    std::function<void(std::span<const Tensor> seen)> read = {};
  };
  using MicroBatches = std::function<MicroBatch(int64_t micro_batch)>;
  using MicroBatchInputs = std::function<std::vector<Tensor>(int64_t micro_batch)>;
  /// Asked when all losses are known: true leaves the parameters as they are, and only the schedule
  /// goes on.
  using Veto = std::function<bool()>;

  template <class Module>
  Trainer(
      Module& model, const TrainingConfig& config,
      const std::function<float(const std::string&)>& rate_of =
          [](const std::string&) { return 1.0f; })
      : arena_(model,
               [&, bases = FrozenBases(model)](const std::string& name) {
                 return !is_frozen(config, name) && !bases.hold(name);
               }),
        optimizer_(arena_, config.optimizer, rate_of),
        schedule_(config.schedule),
        state_there_(arena_.device()),
        recorder_(arena_.device(), config.cuda_graphs),
        skip_outliers_(config.skip_outliers) {
    arena_.forget_exact();
    state_.seed = config.seed;
    schedule_.total_steps = config.max_steps;
    // A run too short for its warm-up would otherwise end before it has begun.
    schedule_.warmup_steps = std::min(schedule_.warmup_steps, config.max_steps / 10);
    check_frozen(config);
  }

  /// @throws Error when the loss or the gradient is not finite, naming the cause as far as it can
  /// be told; the parameters are then as they were.
  Step step(int64_t micro_batches, const MicroBatches& micro_batch, const Veto& veto = never);
  /// The same for one loss of which nothing else is read.
  Step step(int64_t micro_batches, RecordedLoss& loss, const MicroBatchInputs& inputs);
  /// The same for what cannot be recorded: a loss that is no function of tensors, because it reads
  /// results on the way or launches what values decide on. Its kernels are launched one by one.
  Step step(int64_t micro_batches, const MicroBatchLoss& loss, const Veto& veto = never);

  /// Moves the schedule on as if so many steps had been taken.
  void pass_over(int64_t steps) { steps_ += steps; }

  /// Optimizer::hold.
  void hold(const std::function<bool(const std::string& name)>& held, uint64_t start) {
    optimizer_.hold(held, start);
  }

  /// What every training logs of a step: grad_norm, learning_rate.
  void add_metrics(const Step& step, Metrics& metrics) const;

  /// What dropout reads, on the model's device: pass it to a forward pass within step().
  const StepState* dropout_state() { return state_there_.publish(state_); }
  /// Kinds of passes, told apart by loss and shapes, of which a GPU has records now.
  size_t recorded_kinds() const { return recorder_.kinds(); }
  /// Optimizer steps so far.
  uint64_t updates() const { return state_.step; }

  /// Parameters, moments and counters: with the same data, all that decides on the next step. Of
  /// what is frozen a checksum: it is what the run began with. @throws InputError when it is not.
  void archive(StateArchive& a);

 private:
  static bool never() { return false; }
  /// Runs one micro-batch forward and backward; @returns its loss.
  using Pass = std::function<double(int64_t micro_batch)>;
  Step take_step(int64_t micro_batches, const Pass& run, const Veto& veto);
  /// LossTensors one after another, valid until the next call. Does not wait for the device.
  const std::vector<Tensor>& launch(const MicroBatch& batch);
  static bool is_frozen(const TrainingConfig& config, const std::string& name);
  /// @throws InputError for a name that no parameter begins with, or when nothing is left to train.
  void check_frozen(const TrainingConfig& config) const;
  void archive_frozen(StateArchive& a);
  bool is_outlier(const Step& step);
  /// @throws Error unless such steps may be skipped.
  void refuse_not_finite(const Step& step) const;

  ParameterArena arena_;
  Optimizer optimizer_;
  Schedule schedule_;
  StepState state_;
  Mirror<StepState> state_there_;
  Recorder recorder_;
  int64_t recorded_losses_ = 0;
  double skip_outliers_;
  OutlierDetector losses_, norms_;
  int64_t steps_ = 0;  // taken or skipped; state_.step counts the taken ones, as Adam needs it
  int64_t skipped_ = 0, skipped_in_a_row_ = 0;
  std::optional<uint64_t> frozen_checksum_;  // once it was asked for
};

}  // namespace rlhf
