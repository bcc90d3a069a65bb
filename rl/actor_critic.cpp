#include "rl/actor_critic.h"

namespace rlhf {

Tensor values_at(const ActorCritic& model, const ResponseBatch& batch,
                 const Tensor& policy_hidden) {
  const Tensor hidden = model.critic ? response_states(*model.critic, batch) : policy_hidden;
  return model.value_head(hidden);
}

std::vector<float> response_values(const ActorCritic& model,
                                   std::span<const Episode* const> episodes, int64_t batch_size) {
  std::vector<float> all;
  for_each_slice(episodes, batch_size, [&](std::span<const Episode* const> slice) {
    const Gpt2& policy = model.policy.transformer;
    const ResponseBatch batch = response_batch(slice, policy, batch_size);
    const Tensor hidden = model.critic ? Tensor{} : response_states(policy, batch);
    const std::vector<float> values = values_at(model, batch, hidden).to_vector<float>();
    all.insert(all.end(), values.begin(), values.begin() + batch.count);
  });
  return all;
}

}  // namespace rlhf
