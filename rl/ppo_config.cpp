#include "rl/ppo_config.h"

#include "core/check.h"

namespace rlhf {

void validate(const PpoConfig& config) {
  config.kl.validate();
  validate(config, config.kl.coefficient > 0 || config.kl_loss_coef > 0, "--num_mini_batches");
  if (config.dual_clip > 0 && config.dual_clip <= 1) {
    input_error("--dual_clip", "expected 0 or above 1, got {}", config.dual_clip);
  }
  if (config.critic_warmup_updates > 0 && (config.vf_coef <= 0 || config.critic_rate <= 0)) {
    input_error("--critic_warmup_updates",
                "expected --vf_coef and --critic_rate above 0, so that the critic learns, got {} "
                "and {}",
                config.vf_coef, config.critic_rate);
  }
}

}  // namespace rlhf
