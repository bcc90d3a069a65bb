#include "rl/advantage_actor_critic.h"

#include <algorithm>

#include "rl/actor_critic_metrics.h"
#include "rl/minibatches.h"
#include "rl/token_advantages.h"
#include "rl/trunk_states.h"
#include "rl/whitening.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;

class AdvantageActorCritic : public PolicyAlgorithm {
 public:
  AdvantageActorCritic(ActorCritic& model, const Gpt2& reference, std::span<const Tokens> prompts,
                       const ScoreFunction& score, int32_t eos,
                       const AdvantageActorCriticConfig& config)
      : PolicyAlgorithm({model.policy.transformer, reference, prompts, score, eos, config}),
        model_(model),
        config_(config),
        trainer_(model, training_of(config),
                 [&](const std::string& name) {
                   return name.starts_with("value_head.") ? config.critic_rate : 1.0f;
                 }),
        states_(trunk(), config.train_trunk, config.per_device_train_batch_size) {}

  // Responses, their scores, and the value of each of their tokens.
  std::vector<Episode> rollout() override {
    std::vector<Episode> episodes = rollout_.sample(config_.batch());
    states_.read(pointers(episodes));
    std::vector<float> values;
    for (int64_t i = 0; i < states_.slices(); i++) {
      const TrunkStates::Slice slice = states_.at(i);
      const std::vector<float> part = model_.value_head(slice.hidden).to_vector<float>();
      values.insert(values.end(), part.begin(), part.begin() + slice.batch.count);
    }
    scatter(values, episodes, &Episode::value);
    return episodes;
  }

  // Rewards and advantages of each token, then one step on all of them.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t) override {
    set_token_rewards(episodes, config_.beta, KlEstimator::k1);
    estimate_advantages(episodes, config_.gamma, config_.lambda, trunk().device());
    if (config_.whiten_advantages) {
      whiten(episodes, &Episode::advantage, /*shift_mean=*/true, trunk().device());
    }
    const auto list = pointers(episodes);
    const int64_t tokens = count_tokens(list);
    ActorCriticStatistics statistics;
    const Trainer::Step step = trainer_.step(
        states_.slices(), [&](int64_t i) { return slice_loss(states_.at(i), tokens, statistics); });
    const RolloutSummary rollout = summarise(episodes, config_.beta, KlEstimator::k1);
    UpdateReport report{.metrics = actor_critic_metrics(rollout, statistics, step),
                        .signs = vital_signs(rollout, statistics)};
    rollout_.add_metrics(report.metrics);
    return report;
  }

  void archive(StateArchive& a) override {
    trainer_.archive(a);
    rollout_.archive(a);
  }

 private:
  const Gpt2& trunk() const { return model_.policy.transformer; }

  static TrainingConfig training_of(const AdvantageActorCriticConfig& config) {
    TrainingConfig training = training_config(config);
    if (!config.train_trunk) hold_trunk(training, "policy.transformer.");
    return training;
  }

  Tensor slice_loss(const TrunkStates::Slice& slice, int64_t tokens,
                    ActorCriticStatistics& statistics) const {
    const TokenLogProb p = token_log_prob(slice.hidden, model_.policy.head(), slice.batch.target,
                                          config_.responses.temperature, /*with_entropy=*/true);
    const ActorCriticOutput now{p.log_prob, p.entropy, model_.value_head(slice.hidden)};
    const ActorCriticTargets targets = ActorCriticTargets::of(slice.episodes, tokens);
    statistics.add(now, targets);
    return actor_critic_loss(now, targets, {config_.vf_coef, config_.entropy_coef});
  }

  ActorCritic& model_;
  const AdvantageActorCriticConfig& config_;
  Trainer trainer_;
  TrunkStates states_;
};

}  // namespace

void validate(const AdvantageActorCriticConfig& config) {
  validate(config, config.beta > 0, "--num_mini_batches");
  check(config.num_iterations == 1 && config.num_mini_batches == 1, "actor_critic",
        "expected one step an update, got {} passes of {}", config.num_iterations,
        config.num_mini_batches);
}

ActorCritic with_separate_heads(LanguageModel policy) {
  Gpt2& trunk = policy.transformer;
  if (trunk.lora) {
    train_head(trunk);
  } else {
    trunk.untie();
  }
  const ScoreHead value_head = make_score_head(trunk, 0, /*zero=*/true);
  return {std::move(policy), std::nullopt, value_head};
}

PolicyResult advantage_actor_critic(ActorCritic& model, const Gpt2& reference,
                                    std::span<const Tokens> prompts, const ScoreFunction& score,
                                    int32_t eos, const AdvantageActorCriticConfig& config,
                                    const OnUpdate& on_update, Checkpoints checkpoints) {
  check_prompts(prompts, model.policy.transformer.config.n_positions, config.responses.length);
  validate(config);
  AdvantageActorCritic algorithm(model, reference, prompts, score, eos, config);
  return train_policy(algorithm, config, {}, on_update, std::move(checkpoints));
}

}  // namespace rlhf
