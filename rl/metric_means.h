// The means of several metrics since they were last taken: what a logging interval shows.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "rl/run/metrics_log.h"
#include "rl/run/state_archive.h"

namespace rlhf {

class MetricMeans {
 public:
  /// The metrics that may be added, in the order in which they are shown.
  explicit MetricMeans(const std::vector<std::string>& names) {
    for (const std::string& name : names) means_.emplace_back(name, Mean{});
  }

  /// A value that counts `weight` times: the mean of so many tokens or examples.
  void add(const std::string& name, double value, double weight = 1) {
    for (auto& [known, mean] : means_) {
      if (known != name) continue;
      mean.sum += weight * value;
      mean.weight += weight;
      return;
    }
    check(false, "metrics", "expected a name that was declared, got \"{}\"", name);
  }

  /// Adds what another one of the same metrics has seen.
  void add(const MetricMeans& other) {
    check(other.means_.size() == means_.size(), "metrics", "expected {} means, got {}",
          means_.size(), other.means_.size());
    for (size_t i = 0; i < means_.size(); i++) {
      means_[i].second.sum += other.means_[i].second.sum;
      means_[i].second.weight += other.means_[i].second.weight;
    }
  }

  /// Those that anything was added to.
  Metrics take() {
    Metrics metrics;
    for (auto& [name, mean] : means_) {
      if (mean.weight > 0) metrics.emplace_back(name, mean.sum / mean.weight);
      mean = {};
    }
    return metrics;
  }

  void archive(StateArchive& a) {
    for (auto& [name, mean] : means_) {
      a.number("means." + name + ".sum", mean.sum);
      a.number("means." + name + ".weight", mean.weight);
    }
  }

 private:
  struct Mean {
    double sum = 0, weight = 0;
  };
  std::vector<std::pair<std::string, Mean>> means_;
};

}  // namespace rlhf
