// The loop around every online algorithm: roll out, learn, log, watch, save; again, until the
// episodes are used up or the policy has gone too far.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "rl/alarms.h"
#include "rl/checkpoints.h"
#include "rl/policy_rollout.h"
#include "rl/run/metrics_log.h"

namespace rlhf {

/// Called after each update with TRL's metrics and the episodes behind them.
using OnUpdate = std::function<void(int64_t update, int64_t total, const Metrics& metrics,
                                    std::span<const Episode> episodes)>;

struct PolicyResult {
  int64_t updates = 0;  ///< done: fewer than planned when config.stop_at_kl ended the run
  int64_t episodes = 0;
  double seconds = 0, generation_seconds = 0;
  bool stopped_at_kl = false;
  std::map<std::string, int64_t> alarms;  ///< occurrences by kind (rl/alarms.h)
};

/// What an update has to say: figures to log, and the signs that alarms look at.
struct UpdateReport {
  Metrics metrics;
  VitalSigns signs;
};

/// What differs between algorithms.
class PolicyAlgorithm {
 public:
  virtual ~PolicyAlgorithm() = default;
  /// Samples and judges an update's episodes.
  virtual std::vector<Episode> rollout() = 0;
  /// Says what the episodes were worth and moves the policy. Updates count from 1.
  virtual UpdateReport learn(std::vector<Episode>& episodes, int64_t update) = 0;
  /// All that decides on the next update.
  virtual void archive(StateArchive& a) = 0;
  /// Episodes sampled so far, those that were not learnt from included.
  int64_t sampled() const { return rollout_.sampled(); }
  double generation_seconds() const { return rollout_.generation_seconds(); }

 protected:
  explicit PolicyAlgorithm(PolicyRollout rollout) : rollout_(std::move(rollout)) {}

  PolicyRollout rollout_;
};

/// Runs config.updates() updates; a checkpoint's step is an update.
PolicyResult train_policy(PolicyAlgorithm& algorithm, const PolicyConfig& config, AlarmWords words,
                          const OnUpdate& on_update, Checkpoints checkpoints);

}  // namespace rlhf
