#include "rl/classical/tabular.h"

#include "core/check.h"

namespace rlhf::classical {

void validate(const TabularConfig& c) {
  const auto expect = [](bool good, const char* flag, const char* range, auto value) {
    if (!good) input_error(flag, "expected {}, got {}", range, value);
  };
  expect(c.total_timesteps > 0, "--total_timesteps", "at least 1", c.total_timesteps);
  expect(c.learning_rate > 0 && c.learning_rate <= 1, "--learning_rate",
         "a number above 0 and at most 1", c.learning_rate);
  expect(c.gamma >= 0 && c.gamma <= 1, "--gamma", "a number from 0 to 1", c.gamma);
  expect(c.start_e >= 0 && c.start_e <= 1, "--start_e", "a number from 0 to 1", c.start_e);
  expect(c.end_e >= 0 && c.end_e <= c.start_e, "--end_e", "a number from 0 to --start_e", c.end_e);
  expect(c.exploration_fraction >= 0 && c.exploration_fraction <= 1, "--exploration_fraction",
         "a number from 0 to 1", c.exploration_fraction);
  expect(c.logging_steps >= 0, "--logging_steps", "at least 0", c.logging_steps);
}

Schedule step_size(const TabularConfig& config) {
  return {.kind = config.anneal_lr ? ScheduleKind::linear : ScheduleKind::constant,
          .peak = config.learning_rate,
          .total_steps = config.total_timesteps};
}

Schedule exploration(const TabularConfig& config) {
  const double steps = config.exploration_fraction * double(config.total_timesteps);
  return {.kind = ScheduleKind::linear,
          .peak = config.start_e,
          .floor = config.end_e,
          .total_steps = int64_t(steps)};
}

}  // namespace rlhf::classical
