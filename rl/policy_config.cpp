#include "rl/policy_config.h"

#include "core/check.h"

namespace rlhf {

void validate(const PolicyConfig& config, bool kl_penalty, const char* mini_batches_flag) {
  if (config.num_mini_batches > config.batch()) {
    input_error(mini_batches_flag, "expected at most the {} episodes of an update, got {}",
                config.batch(), config.num_mini_batches);
  }
  if (config.batch() % config.num_generations != 0) {
    input_error("--num_generations", "expected to divide the {} episodes of an update, got {}",
                config.batch(), config.num_generations);
  }
  validate(config.responses, kl_penalty);
  validate(config.scores, config.responses.length);
}

}  // namespace rlhf
