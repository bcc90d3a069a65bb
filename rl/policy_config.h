// What every algorithm that learns from a policy's own responses leaves open: how many, how they
// are sampled and judged, how they are cut into optimizer steps. An algorithm's configuration is
// this and what is its own.
#pragma once

#include <functional>
#include <string>

#include "rl/responses.h"
#include "rl/score_rules.h"
#include "rl/trainer.h"

namespace rlhf {

struct PolicyConfig {
  int64_t total_episodes = 10000;
  int64_t episodes_per_update = 64;          ///< responses sampled before each update
  int64_t num_generations = 1;               ///< responses to the same prompt: a group
  int64_t num_iterations = 1;                ///< passes over an update's episodes
  int64_t num_mini_batches = 1;              ///< optimizer steps a pass
  int64_t per_device_train_batch_size = 16;  ///< episodes in memory at a time
  ResponseConfig responses;
  ScoreRulesConfig scores;
  double stop_at_kl = 0;     ///< the run ends when the KL of an episode is above this; 0: off
  int64_t alarm_every = 50;  ///< updates between two warnings of one kind
  TrainingConfig training;   ///< optimizer, schedule, seed; batch sizes are those above
  /// Told of what looks wrong, in one line.
  std::function<void(const std::string& line)> on_alarm = [](const std::string&) {};

  /// Episodes of an update: episodes_per_update, or all of a run that has fewer.
  int64_t batch() const { return std::min(episodes_per_update, total_episodes); }
  int64_t updates() const { return (total_episodes + batch() - 1) / batch(); }
};

/// `kl_penalty` as in validate of ResponseConfig; `mini_batches_flag`: what num_mini_batches is
/// called. @throws InputError for choices that contradict each other.
void validate(const PolicyConfig& config, bool kl_penalty, const char* mini_batches_flag);

}  // namespace rlhf
