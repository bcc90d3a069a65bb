// What tells early that a run of reinforcement learning is failing, and why: each alarm watches a
// few signs of an update, says in one line what is seen, the likely cause and the flag to turn, and
// is counted. docs/algorithms/ppo.md lists them.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "rl/run/state_archive.h"

namespace rlhf {

struct Alarm {
  std::string kind;  ///< "kl_negative": its name in summary.json
  std::string line;  ///< for people
};

/// What alarms look at, the same for every algorithm; NaN: not measured, and no alarm looks at it.
struct VitalSigns {
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  double first_difference =
      unknown;                  ///< |log pi in training - when sampled|, before the first step
  double kl = unknown;          ///< to the reference, nats an episode
  double entropy = unknown;     ///< nats a token
  double length = unknown;      ///< tokens a response
  double repetition = unknown;  ///< share of repeated 4-grams within a response
  double ended = unknown;       ///< share of responses that reached their end
  double score = unknown, score_deviation = unknown;
  double flat_groups = unknown;         ///< share of groups whose scores are all the same
  double clipped = unknown;             ///< share of tokens (or sequences)
  double explained_variance = unknown;  ///< of the critic
  double value_loss = unknown;
  double early_stops = unknown;  ///< 1 when the update was cut short
};

/// What the flags that advice names are called in the command that runs; without a word the names
/// of TRL's GRPO and RLOO.
struct AlarmWords {
  std::string kl_coef = "--beta";  ///< what holds the KL; empty: there is none
  std::string passes = "--num_iterations";
  std::string response_length = "--max_completion_length";
  bool of_ppo = false;  ///< --target_kl, --kl_estimator and --critic_warmup_updates are PPO's
  double longest = 0;   ///< tokens that a response may have
};

class Alarms {
 public:
  /// The same kind is told again only after so many updates; every occurrence is counted.
  Alarms(int64_t updates_between, AlarmWords words)
      : updates_between_(updates_between), words_(std::move(words)) {}

  /// Looks at an update and returns what is to be said now.
  std::vector<Alarm> check(int64_t update, const VitalSigns& signs);

  /// Occurrences by kind; kinds that never occurred are left out.
  std::map<std::string, int64_t> counts() const;

  void archive(StateArchive& a);

 private:
  struct Watch;
  static const std::vector<Watch>& watches();

  int64_t updates_between_;
  AlarmWords words_;
  // By place in watches(), as an archive keeps them: updates in a row in which the condition held,
  // occurrences, update of the last line.
  std::vector<double> in_a_row_, counts_, told_;
  std::vector<double> first_;  // first update's signs that later ones are compared with
  double value_loss_ = 0, value_loss_updates_ = 0;  // running mean
};

}  // namespace rlhf
