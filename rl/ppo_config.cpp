#include "rl/ppo_config.h"

#include <fmt/format.h>

namespace rlhf {

void validate(const PpoConfig& config) {
  config.kl.validate();
  const int64_t episodes = std::min(config.episodes_per_update, config.total_episodes);
  if (config.num_mini_batches > episodes) {
    input_error("--num_mini_batches", "expected at most the {} episodes of an update, got {}",
                episodes, config.num_mini_batches);
  }
  const bool filtered = config.top_k > 0 || config.top_p < 1;
  if (filtered && (config.kl.coefficient > 0 || config.kl_loss_coef > 0)) {
    input_error(config.top_k > 0 ? "--top_k" : "--top_p",
                "expected no filter beside a KL penalty: responses would not come from the "
                "distribution whose KL is estimated, which then turns negative; got {}",
                config.top_k > 0 ? fmt::to_string(config.top_k) : fmt::to_string(config.top_p));
  }
  if (config.dual_clip > 0 && config.dual_clip <= 1) {
    input_error("--dual_clip", "expected 0 or above 1, got {}", config.dual_clip);
  }
  if (config.truncate_after >= config.response_length) {
    input_error("--truncate_after", "expected below --response_length {}, got {}",
                config.response_length, config.truncate_after);
  }
  if (config.overlong_buffer > config.response_length) {
    input_error("--overlong_buffer", "expected at most --response_length {}, got {}",
                config.response_length, config.overlong_buffer);
  }
  if (config.critic_warmup_updates > 0 && (config.vf_coef <= 0 || config.critic_rate <= 0)) {
    input_error("--critic_warmup_updates",
                "expected --vf_coef and --critic_rate above 0, so that the critic learns, got {} "
                "and {}",
                config.vf_coef, config.critic_rate);
  }
}

}  // namespace rlhf
