// The episodes that ended while an agent learnt: how many, and their returns as CleanRL charts
// them.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "rl/env/vector_environment.h"
#include "rl/interval_mean.h"
#include "rl/run/metrics_log.h"

namespace rlhf::classical {

/// How far an algorithm is.
struct Progress {
  int64_t steps = 0;       ///< of the environment, all copies together
  int64_t episodes = 0;    ///< that have ended
  double mean_return = 0;  ///< of the last 100 of them, not discounted
};

class EpisodeLog {
 public:
  void add(std::span<const FinishedEpisode> finished) {
    for (const FinishedEpisode& episode : finished) {
      recent_.resize(std::min<size_t>(recent_.size() + 1, kRecent));
      recent_[size_t(count_++) % kRecent] = episode.episodic_return;
      fresh_++;
      returns_.add(episode.episodic_return);
      lengths_.add(double(episode.length));
    }
  }

  int64_t count() const { return count_; }
  /// Mean return of the last 100 episodes; 0 before the first has ended.
  double recent_mean() const {
    const double sum = std::accumulate(recent_.begin(), recent_.end(), 0.0);
    return recent_.empty() ? 0 : sum / double(recent_.size());
  }

  /// Means over the episodes that have ended since it was last asked; nothing when none has.
  void report(Metrics& metrics) {
    if (fresh_ == 0) return;
    metrics.emplace_back("charts/episodic_return", returns_.take());
    metrics.emplace_back("charts/episodic_length", lengths_.take());
    fresh_ = 0;
  }

  void archive(StateArchive& a) {
    a.number("episodes", count_);
    a.number("episodes.fresh", fresh_);
    a.numbers("episodes.recent", recent_);
    returns_.archive(a, "episodes.returns");
    lengths_.archive(a, "episodes.lengths");
  }

 private:
  static constexpr size_t kRecent = 100;
  int64_t count_ = 0, fresh_ = 0;
  std::vector<double> recent_;  // a ring
  IntervalMean returns_, lengths_;
};

}  // namespace rlhf::classical
