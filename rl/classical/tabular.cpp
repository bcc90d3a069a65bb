#include "rl/classical/tabular.h"

#include "core/check.h"
#include "rl/classical/exploration.h"

namespace rlhf::classical {

void validate(const TabularConfig& c) {
  check_steps(c.total_timesteps, 1, 1, c.logging_updates);
  if (!(c.learning_rate > 0 && c.learning_rate <= 1)) {
    input_error("--learning_rate", "expected above 0 and at most 1, got {}", c.learning_rate);
  }
  check_share("--gamma", c.gamma);
  check_share("--start_e", c.start_e);
  if (!(c.end_e >= 0 && c.end_e <= c.start_e)) {
    input_error("--end_e", "expected from 0 to --start_e, got {}", c.end_e);
  }
  check_share("--exploration_fraction", c.exploration_fraction);
}

Schedule step_size(const TabularConfig& config) {
  return {.kind = config.anneal_lr ? ScheduleKind::linear : ScheduleKind::constant,
          .peak = config.learning_rate,
          .total_steps = config.total_timesteps};
}

Schedule exploration(const TabularConfig& config) {
  return exploration(config.start_e, config.end_e, config.exploration_fraction,
                     config.total_timesteps);
}

}  // namespace rlhf::classical
