#include "rl/trainer.h"

#include <algorithm>
#include <cmath>

#include "core/tape.h"

namespace rlhf {

bool Trainer::is_frozen(const TrainingConfig& config, const std::string& name) {
  return std::any_of(config.frozen.begin(), config.frozen.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

void Trainer::check_frozen(const TrainingConfig& config) const {
  const auto& entries = arena_.entries();
  for (const std::string& prefix : config.frozen) {
    if (std::none_of(entries.begin(), entries.end(),
                     [&](const auto& entry) { return entry.name.starts_with(prefix); })) {
      input_error("--freeze", "expected the beginning of a name such as {}, got \"{}\"",
                  entries.front().name, prefix);
    }
  }
  if (std::none_of(entries.begin(), entries.end(),
                   [](const auto& entry) { return entry.trainable; })) {
    input_error("--freeze", "expected some parameters to train, got all frozen");
  }
}

Trainer::Step Trainer::step(int64_t micro_batches, const MicroBatchLoss& loss) {
  Step result;
  const int64_t number = int64_t(state_.step) + 1;
  for (int64_t micro = 0; micro < micro_batches; micro++) {
    state_.draw++;
    Tape tape;
    const Tensor micro_loss = loss(micro);
    const double value = micro_loss.item();
    check(std::isfinite(value), "loss", "expected a finite loss at step {}, got {}", number, value);
    result.loss += value;
    tape.backward(micro_loss);
  }
  result.learning_rate = schedule_.rate(number);
  state_.learning_rate = float(result.learning_rate);
  result.grad_norm = optimizer_.step(state_);
  return result;
}

}  // namespace rlhf
