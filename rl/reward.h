// Reward models: a scalar read at the last token of a sequence, learnt from human feedback: pairs
// (Stiennon et al. 2020), yes/no labels, or scores.
#pragma once

#include <span>
#include <vector>

#include "data/datasets.h"
#include "data/tokenizer.h"
#include "nn/gpt2.h"
#include "rl/rollout.h"
#include "rl/trainer.h"

namespace rlhf {

enum class RewardLoss { pairwise, bce, mse };

/// Feedback as tokens. `second` is empty except for pairs; `value` is a pair's margin, or a label.
/// Pairs that max_length has made equal say nothing and are left out.
struct RewardData {
  std::vector<Tokens> first;  ///< the chosen one of a pair
  std::vector<Tokens> second;
  std::vector<double> value;
  int64_t truncated = 0;  ///< texts that max_length cut
  int64_t dropped = 0;    ///< pairs left out
  size_t size() const { return first.size(); }
};

/// Prompt, completion and the end token, where the reward is read. A text of more than max_length
/// tokens loses its last ones before the end token.
Tokens encode_for_reward(const Tokenizer& tokenizer, const std::string& prompt,
                         const std::string& completion, int64_t max_length,
                         bool* truncated = nullptr);
RewardData encode_preferences(const Tokenizer& tokenizer, std::span<const Preference> rows,
                              int64_t max_length);
RewardData encode_labelled(const Tokenizer& tokenizer, std::span<const Labelled> rows,
                           int64_t max_length);

/// The reward at the last token of each sequence: (N), differentiable on a tape.
Tensor reward_at_end(const ScalarModel& model, std::span<const Tokens> sequences,
                     const StepState* training = nullptr);

/// The same as numbers, in batches.
std::vector<double> score(const ScalarModel& model, std::span<const Tokens> sequences,
                          int64_t batch_size = 64);

/// Judges episodes with a reward model at their last token, as it stands: an episode that stopped
/// ends with the end token already, another one gets it appended, since that is where the model
/// has learnt to judge. The model must outlive the function.
ScoreFunction reward_score(const ScalarModel& model, int32_t eos);

struct RewardConfig {
  TrainingConfig training;
  RewardLoss loss = RewardLoss::pairwise;
  float center_rewards_coefficient = 0;  ///< pulls the mean of a pair's rewards to 0
  int64_t num_train_epochs = 1;          ///< used when training.max_steps is 0
  int64_t eval_steps = 0;                ///< 0: at the end only
  int64_t logging_steps = 10;
};

struct RewardEvaluation {
  double loss = 0;
  double accuracy = 0;     ///< pairs: chosen above rejected; bce: on the label's side of 0
  double mean_reward = 0;  ///< over all sequences
  double std_reward = 0;
  double margin = 0;           ///< pairs: mean of chosen - rejected
  std::vector<double> scores;  ///< of `first`, in order
};

RewardEvaluation evaluate_reward(const ScalarModel& model, const RewardData& data,
                                 const RewardConfig& config);

struct RewardResult {
  double train_loss = 0;  ///< mean over the last logging interval
  RewardEvaluation validation;
  int64_t steps = 0;
  double seconds = 0;
};

/// Trains in place. @throws InputError when there is nothing to train on.
RewardResult train_reward(ScalarModel& model, const RewardData& train, const RewardData& validation,
                          const RewardConfig& config, const OnStep& on_step);

}  // namespace rlhf
