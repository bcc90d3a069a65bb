// Returns and lengths of the episodes of a run under CleanRL's names: of those that ended since the
// last line of the log, and of the last hundred, by which papers compare agents while they learn.
#pragma once

#include <cstdint>
#include <vector>

#include "rl/interval_mean.h"
#include "rl/run/metrics_log.h"
#include "rl/run/state_archive.h"

namespace rlhf::classical {

class EpisodeStatistics {
 public:
  /// Takes in one step of the running episode.
  void add(double reward, bool done) {
    return_ += reward;
    length_++;
    if (!done) return;
    returns_.add(return_);
    lengths_.add(double(length_));
    if (int64_t(last_.size()) < kLast) last_.resize(last_.size() + 1);
    last_[size_t(episodes_++ % kLast)] = return_;
    unlogged_++;
    return_ = 0;
    length_ = 0;
  }

  int64_t episodes() const { return episodes_; }
  /// The mean undiscounted return of the last hundred episodes; 0 before the first has ended.
  double recent_return() const {
    double sum = 0;
    for (const double value : last_) sum += value;
    return last_.empty() ? 0 : sum / double(last_.size());
  }

  /// charts/episodic_return and charts/episodic_length, means of the episodes that ended since the
  /// last call (left out when none has), and charts/episodes.
  void take(Metrics& metrics) {
    if (unlogged_ > 0) {
      metrics.emplace_back("charts/episodic_return", returns_.take());
      metrics.emplace_back("charts/episodic_length", lengths_.take());
    }
    metrics.emplace_back("charts/episodes", double(episodes_));
    unlogged_ = 0;
  }

  void archive(StateArchive& a) {
    a.number("episode.return", return_);
    a.number("episode.length", length_);
    a.number("episodes", episodes_);
    a.number("episodes.unlogged", unlogged_);
    returns_.archive(a, "episodes.return");
    lengths_.archive(a, "episodes.length");
    a.numbers("episodes.last", last_);
  }

 private:
  static constexpr int64_t kLast = 100;

  double return_ = 0;
  int64_t length_ = 0, episodes_ = 0, unlogged_ = 0;
  IntervalMean returns_, lengths_;
  std::vector<double> last_;  // a ring
};

}  // namespace rlhf::classical
