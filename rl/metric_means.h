// The means of several metrics since they were last taken: what a logging interval shows.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "rl/interval_mean.h"
#include "rl/run/metrics_log.h"

namespace rlhf {

class MetricMeans {
 public:
  /// The metrics that may be added, in the order in which they are shown.
  explicit MetricMeans(const std::vector<std::string>& names) {
    for (const std::string& name : names) means_.emplace_back(name, Mean{});
  }

  void add(const std::string& name, double value) {
    for (auto& [known, mean] : means_) {
      if (known != name) continue;
      mean.values.add(value);
      mean.any = 1;
      return;
    }
    check(false, "metrics", "expected a name that was declared, got \"{}\"", name);
  }

  /// Those that anything was added to, each under `prefix` and its name.
  Metrics take(const std::string& prefix = "") {
    Metrics metrics;
    for (auto& [name, mean] : means_) {
      if (mean.any != 0) metrics.emplace_back(prefix + name, mean.values.take());
      mean.any = 0;
    }
    return metrics;
  }

  void archive(StateArchive& a) {
    for (auto& [name, mean] : means_) {
      mean.values.archive(a, "means." + name);
      a.number("means." + name + ".any", mean.any);
    }
  }

 private:
  struct Mean {
    IntervalMean values;
    int64_t any = 0;
  };
  std::vector<std::pair<std::string, Mean>> means_;
};

}  // namespace rlhf
