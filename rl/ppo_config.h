// Every choice that PPO leaves open. The defaults are those of `rlhf ppo` but for the sizes;
// docs/algorithms/ppo.md says of each where it comes from, rl/ppo_presets.h which others make.
#pragma once

#include <functional>
#include <string>

#include "kernels/kl_loss.h"
#include "rl/kl.h"
#include "rl/trainer.h"

namespace rlhf {

/// What to do with the score of a response that never reached its end.
enum class MissingEos { keep, subtract, replace };
/// What scores are divided by, and whether their mean is taken off, over all scores of the run.
enum class ScoreScaling { none, deviation, mean_and_deviation };
/// Over which tokens rewards and advantages are whitened.
enum class WhitenScope { batch, minibatch };
/// What a minibatch's loss is a mean of: tokens; responses, each the mean of its tokens; responses,
/// each the sum of its tokens over --response_length (Liu et al. 2025, "Dr. GRPO").
enum class LossReduction { token_mean, sequence_mean, sequence_sum };

struct PpoConfig {
  int64_t total_episodes = 10000;
  int64_t episodes_per_update = 64;          ///< prompts sampled before each update
  int64_t num_ppo_epochs = 4;                ///< passes over them
  int64_t num_mini_batches = 1;              ///< optimizer steps a pass
  int64_t per_device_train_batch_size = 16;  ///< episodes in memory at a time

  // Responses.
  int64_t response_length = 32;  ///< tokens at most
  float temperature = 1;         ///< of sampling, and of every log-probability
  int64_t top_k = 0;             ///< 0: off
  float top_p = 1;               ///< 1: off
  int32_t stop_token = -1;       ///< what ends a response; -1: the end token
  int64_t truncate_after = 0;    ///< stop tokens before this index do not count
  /// Every response is sampled to its full length and learnt from as a whole; only the score reads
  /// no further than its end. Off: what follows the end is dropped, or never sampled.
  bool sample_past_end = false;

  // Scores, in this order of use.
  ScoreScaling score_scaling = ScoreScaling::none;
  double score_clip = 0;  ///< scaled scores are held within +- this; 0: off
  MissingEos missing_eos = MissingEos::subtract;
  double missing_eos_penalty = 1;  ///< subtracted from the score, or minus it replaces the score
  double length_penalty = 0;       ///< subtracted a token
  int64_t overlong_buffer = 0;     ///< last tokens of response_length that cost; 0: off
  double overlong_penalty = 1;     ///< what a response of full length loses then

  // Rewards and advantages.
  KlEstimator kl_estimator = KlEstimator::k1;
  KlBounds kl_bounds;  ///< of the penalty; log_ratio also of the probability ratio
  KlController kl;
  bool whiten_rewards = false;
  bool whiten_advantages = true;
  WhitenScope whiten_scope = WhitenScope::batch;
  float gamma = 1;
  float lambda = 0.95f;

  // Losses.
  float cliprange = 0.2f;
  float dual_clip = 0;  ///< above 1; 0: off
  float cliprange_value = 0.2f;
  float vf_coef = 0.1f;
  float entropy_coef = 0;
  float kl_loss_coef = 0;  ///< 0: no such term
  KlLossKind kl_loss = KlLossKind::k2;
  LossReduction loss_reduction = LossReduction::token_mean;
  float ptx_coef = 0;          ///< weight of the language-model loss on given text; 0: none
  int64_t ptx_batch_size = 8;  ///< texts a step

  // Safeguards. 0: off.
  double target_kl = 0;        ///< an update ends when its approximate KL is above 1.5 times this
  double ratio_threshold = 0;  ///< a minibatch of a larger mean ratio is skipped
  double stop_at_kl = 0;       ///< the run ends when objective/kl is above this
  int64_t critic_warmup_updates = 0;  ///< first updates, in which only the critic learns
  int64_t alarm_every = 50;           ///< updates between two warnings of one kind

  float critic_rate = 1;    ///< factor on the learning rate of critic and value head
  TrainingConfig training;  ///< optimizer, schedule, seed; batch sizes are those above
  /// Told of what looks wrong, in one line.
  std::function<void(const std::string& line)> on_alarm = [](const std::string&) {};
};

/// @throws InputError for choices that contradict each other.
void validate(const PpoConfig& config);

}  // namespace rlhf
