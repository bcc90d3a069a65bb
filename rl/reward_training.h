// Fits a reward model to human feedback: pairs (Stiennon et al. 2020), yes/no labels and scores, in
// any mixture, each with its own loss and weight.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "rl/checkpoints.h"
#include "rl/reward/reward_data.h"
#include "rl/reward/reward_evaluation.h"
#include "rl/trainer.h"

namespace rlhf {

struct RewardConfig {
  TrainingConfig training;
  float center_rewards_coefficient = 0;  ///< pulls the mean of a pair's rewards to 0
  int64_t num_train_epochs = 1;          ///< used when training.max_steps is 0
  int64_t eval_steps = 0;                ///< 0: at the end only
  int64_t logging_steps = 10;
  /// Told in one line what looks wrong about the model (rl/reward_watch.h).
  std::function<void(const std::string& line)> on_alarm = [](const std::string&) {};
};

struct RewardResult {
  double train_loss = 0;  ///< mean over the last logging interval
  RewardEvaluation validation;
  int64_t steps = 0;
  double seconds = 0;
  std::map<std::string, int64_t> alarms = {};  ///< evaluations by kind
};

/// Trains in place: a step's loss is the sum of weight times loss of its examples over their
/// number. Evaluation metrics come in total and, where there are several, by group
/// (`eval_loss/pairs/<source>`). @throws InputError when there is nothing to train on.
RewardResult train_reward(ScalarModel& model, const RewardData& train, const RewardData& validation,
                          const RewardConfig& config, const OnStep& on_step,
                          Checkpoints checkpoints = {});

}  // namespace rlhf
