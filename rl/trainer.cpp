#include "rl/trainer.h"

#include <cmath>

#include "core/tape.h"

namespace rlhf {

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
