// What tells early that a PPO run is failing, and why: each alarm watches a few metrics of an
// update, says in one line what is seen, the likely cause and the flag to turn, and is counted.
// docs/algorithms/ppo.md lists them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "rl/run/metrics_log.h"
#include "rl/run/state_archive.h"

namespace rlhf {

struct Alarm {
  std::string kind;  ///< "kl_negative": its name in summary.json
  std::string line;  ///< for people
};

class Alarms {
 public:
  /// The same kind is told again only after so many updates; every occurrence is counted.
  explicit Alarms(int64_t updates_between) : updates_between_(updates_between) {}

  /// Looks at an update's metrics (rl/ppo_metrics.h, with "response_length" and "early_stops") and
  /// returns what is to be said now.
  std::vector<Alarm> check(int64_t update, const Metrics& metrics);

  /// Occurrences by kind; kinds that never occurred are left out.
  std::map<std::string, int64_t> counts() const;

  void archive(StateArchive& a);

 private:
  struct Watch;
  static const std::vector<Watch>& watches();

  int64_t updates_between_;
  // By place in watches(), as an archive keeps them: updates in a row in which the condition held,
  // occurrences, update of the last line.
  std::vector<double> in_a_row_, counts_, told_;
  std::vector<double> first_;  // first update's metrics that later ones are compared with
  double value_loss_ = 0, value_loss_updates_ = 0;  // running mean
};

}  // namespace rlhf
