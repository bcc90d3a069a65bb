// Proximal policy optimisation of a language model against a reward, with a KL penalty to the model
// it started from (Schulman et al. 2017; Ziegler et al. 2019; Huang et al. 2024, "The N+
// implementation details of RLHF with PPO"). docs/algorithms/ppo.md maps each detail to its line.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "rl/checkpoints.h"
#include "rl/kl.h"
#include "rl/rollout.h"
#include "rl/trainer.h"

namespace rlhf {

/// The policy and what predicts its return: a value head on the policy's own trunk, or a critic
/// with a trunk of its own, which usually starts from the reward model.
struct ActorCritic {
  LanguageModel policy;
  std::optional<Gpt2> critic;
  ScoreHead value_head;
  void visit(auto&& v) {
    v("policy", policy);
    if (critic) v("critic", *critic);
    v("value_head", value_head);
  }
};

/// What to do with a response that never reached the end token.
enum class MissingEos { keep, subtract, replace };

struct PpoConfig {
  int64_t total_episodes = 10000;
  int64_t episodes_per_update = 64;          ///< prompts sampled before each update
  int64_t num_ppo_epochs = 4;                ///< passes over them
  int64_t num_mini_batches = 1;              ///< optimizer steps a pass
  int64_t per_device_train_batch_size = 16;  ///< episodes in memory at a time
  int64_t response_length = 32;              ///< tokens at most
  float temperature = 1;                     ///< of sampling, and of every log-probability
  KlEstimator kl_estimator = KlEstimator::k1;
  KlController kl;
  float cliprange = 0.2f;
  float cliprange_value = 0.2f;
  float vf_coef = 0.1f;
  float entropy_coef = 0;
  float gamma = 1;
  float lambda = 0.95f;
  bool whiten_rewards = false;
  bool whiten_advantages = true;
  MissingEos missing_eos = MissingEos::subtract;
  double missing_eos_penalty = 1;  ///< subtracted from the score, or minus it replaces the score
  float critic_rate = 1;           ///< factor on the learning rate of critic and value head
  TrainingConfig training;         ///< optimizer, schedule, seed; batch sizes are those above
};

/// Called after each update with TRL's metrics and the episodes behind them.
using OnUpdate = std::function<void(int64_t update, int64_t total, const Metrics& metrics,
                                    std::span<const Episode> episodes)>;

struct PpoResult {
  int64_t updates = 0;
  int64_t episodes = 0;
  double kl_coefficient = 0;
  double seconds = 0, generation_seconds = 0;
};

/// @throws InputError when there is no prompt, an empty one, or one that leaves no room within
/// n_positions for a response and the end token that a reward is read at.
void check_prompts(std::span<const Tokens> prompts, int64_t n_positions, int64_t response_length);

/// Fills in what the losses need: rewards r_t = -beta KL_t with the score on the last token, then
/// advantages and returns, from scores, log-probabilities and values.
void assign_rewards(std::vector<Episode>& episodes, double kl_coefficient, const PpoConfig& config);

/// Trains model.policy and its critic in place, with the KL penalty to `reference`, which must
/// share no memory with the policy (frozen_copy). Prompts are used in an order drawn anew each
/// epoch; total_episodes is rounded up to whole updates. A checkpoint's step is an update.
/// @throws InputError as check_prompts does.
PpoResult ppo(ActorCritic& model, const Gpt2& reference, std::span<const Tokens> prompts,
              const ScoreFunction& score, int32_t eos, const PpoConfig& config,
              const OnUpdate& on_update, Checkpoints checkpoints = {});

}  // namespace rlhf
