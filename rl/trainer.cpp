#include "rl/trainer.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/finite.h"
#include "core/tape.h"
#include "rl/frozen.h"
#include "rl/run/crc32c.h"

namespace rlhf {

bool Trainer::is_frozen(const TrainingConfig& config, const std::string& name) {
  return std::any_of(config.frozen.begin(), config.frozen.end(),
                     [&](const std::string& prefix) { return begins_with(name, prefix); });
}

void Trainer::check_frozen(const TrainingConfig& config) const {
  std::vector<std::string> frozen, learnt;
  for (const NamedTensor& entry : arena_.frozen()) frozen.push_back(entry.name);
  for (const ParameterArena::Entry& entry : arena_.entries()) learnt.push_back(entry.name);
  rlhf::check_frozen(config.frozen, frozen, learnt);
}

Trainer::RecordedLoss::RecordedLoss(Trainer& trainer, TensorLoss loss)
    : work_([loss = std::move(loss)](const std::vector<Tensor>& inputs) {
        Tape tape;
        LossTensors result = loss(inputs);
        tape.backward(result.loss);
        result.seen.insert(result.seen.begin(), result.loss);
        return std::move(result.seen);
      }),
      name_(fmt::format("{}.", trainer.recorded_losses_++)) {}

const std::vector<Tensor>& Trainer::launch(const MicroBatch& batch) {
  std::vector<RecordedLoss::Flags>& known = batch.loss.flags_;
  const std::vector<bool> before = arena_.written();
  const auto same = [&](const RecordedLoss::Flags& flags) { return flags.before == before; };
  auto flags = std::find_if(known.begin(), known.end(), same);
  if (flags == known.end()) flags = known.insert(known.end(), {before, {}});
  const auto number = flags - known.begin();
  const auto& results =
      recorder_(batch.loss.work_, batch.inputs, fmt::format("{}{}", batch.loss.name_, number));
  // The first pass sets the flags as it goes, a replayed one says nothing.
  if (flags->after.empty()) flags->after = arena_.written();
  arena_.set_written(flags->after);
  return results;
}

// Backward comes first: reading the loss waits for the device, which has work meanwhile. Nobody
// uses the gradients of a loss that turns out not to be finite.
Trainer::Step Trainer::step(int64_t micro_batches, const MicroBatches& micro_batch,
                            const Veto& veto) {
  std::optional<MicroBatch> next;
  const auto pass = [&](int64_t micro) {
    if (!next) next.emplace(micro_batch(micro));
    const auto read = std::move(next->read);
    const std::vector<Tensor>& results = launch(*next);
    next.reset();
    // While the device works the host makes what it will work on next.
    if (micro + 1 < micro_batches) next.emplace(micro_batch(micro + 1));
    const double loss = results[0].item();
    if (read) read(std::span(results).subspan(1));
    return loss;
  };
  return take_step(micro_batches, pass, veto);
}

Trainer::Step Trainer::step(int64_t micro_batches, RecordedLoss& loss,
                            const MicroBatchInputs& inputs) {
  return step(micro_batches, [&](int64_t micro) { return MicroBatch{loss, inputs(micro)}; });
}

Trainer::Step Trainer::step(int64_t micro_batches, const MicroBatchLoss& loss, const Veto& veto) {
  const auto pass = [&](int64_t micro) {
    Tape tape;
    const Tensor micro_loss = loss(micro);
    tape.backward(micro_loss);
    return micro_loss.item();
  };
  return take_step(micro_batches, pass, veto);
}

Trainer::Step Trainer::take_step(int64_t micro_batches, const Pass& run, const Veto& veto) {
  Step result;
  steps_++;
  for (int64_t micro = 0; micro < micro_batches && std::isfinite(result.loss); micro++) {
    state_.draw++;
    state_there_.publish(state_);
    result.loss += run(micro);
  }
  result.learning_rate = schedule_.rate(steps_);
  state_.learning_rate = float(result.learning_rate);
  if (veto()) {
    arena_.reset_gradients();
    result.vetoed = true;
    return result;
  }
  if (std::isfinite(result.loss)) result.grad_norm = optimizer_.gradient_norm();
  result.skipped = is_outlier(result);
  if (result.skipped) {
    arena_.reset_gradients();
    skipped_++;
    skipped_in_a_row_++;
    check(skipped_in_a_row_ < kMostSkipped, "--skip_outliers",
          "expected fewer than {} steps in a row to stand out, got as many up to step {} (loss {}, "
          "gradient norm {}); a lower learning rate may help",
          kMostSkipped, steps_, result.loss, result.grad_norm);
  } else {
    optimizer_.update(state_);
    skipped_in_a_row_ = 0;
  }
  return result;
}

bool Trainer::is_outlier(const Step& step) {
  if (!std::isfinite(step.loss) || !std::isfinite(step.grad_norm)) {
    refuse_not_finite(step);
    return true;
  }
  if (skip_outliers_ <= 0) return false;
  const double loss = losses_.add(step.loss), norm = norms_.add(step.grad_norm);
  return std::max(loss, norm) > skip_outliers_;
}

void Trainer::refuse_not_finite(const Step& step) const {
  if (skip_outliers_ > 0) return;
  const bool loss = !std::isfinite(step.loss);
  std::string cause = "the parameters are finite: a bad batch, or too high a learning rate";
  for (const NamedTensor& entry : arena_.frozen()) {
    if (!is_finite(entry.tensor)) {
      cause = fmt::format("{} holds values that are not finite", entry.name);
      break;
    }
  }
  for (const ParameterArena::Entry& entry : arena_.entries()) {
    if (!is_finite(entry.tensor)) {
      cause = fmt::format("{} holds values that are not finite", entry.name);
      break;
    }
    if (!loss && entry.tensor.has_grad() && !is_finite(entry.tensor.grad())) {
      cause = fmt::format("first in the gradient of {}", entry.name);
      break;
    }
  }
  check(false, loss ? "loss" : "gradient",
        "expected a finite {} at step {}, got {} ({}; learning rate {:.3g})",
        loss ? "loss" : "norm", steps_, loss ? step.loss : step.grad_norm, cause,
        step.learning_rate);
}

void Trainer::add_metrics(const Step& step, Metrics& metrics) const {
  metrics.emplace_back("grad_norm", step.grad_norm);
  metrics.emplace_back("learning_rate", step.learning_rate);
  if (skip_outliers_ > 0) metrics.emplace_back("skipped_steps", double(skipped_));
}

void Trainer::archive_frozen(StateArchive& a) {
  if (arena_.frozen().empty()) return;
  if (!frozen_checksum_) {
    std::string sums;
    for (const NamedTensor& entry : arena_.frozen()) {
      dispatch(entry.tensor.dtype(), [&](auto t) {
        const auto values = entry.tensor.to_vector<decltype(t)>();
        const uint32_t sum =
            crc32c({reinterpret_cast<const char*>(values.data()), values.size() * sizeof t});
        sums += fmt::format("{} {}\n", entry.name, sum);
      });
    }
    frozen_checksum_ = crc32c(sums);
  }
  uint64_t saved = *frozen_checksum_;
  a.number("frozen_parameters", saved);
  if (saved != *frozen_checksum_) {
    input_error("--model_name_or_path",
                "expected the frozen parameters that the run began with, got others");
  }
}

void Trainer::archive(StateArchive& a) {
  optimizer_.for_each_master([&](const std::string& name, const Tensor& master) {
    a.tensor("parameter." + name, master);
  });
  optimizer_.for_each_moment(
      [&](const std::string& name, const Tensor& moment) { a.tensor(name, moment); });
  optimizer_.adopt_masters();
  archive_frozen(a);
  a.number("steps", steps_);
  a.number("updates", state_.step);
  a.number("draw", state_.draw);
  a.number("skipped", skipped_);
  a.number("skipped_in_a_row", skipped_in_a_row_);
  losses_.archive(a, "losses");
  norms_.archive(a, "norms");
}

}  // namespace rlhf
