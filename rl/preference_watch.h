// Tells when both completions of pairs become less likely: the margin then grows because the
// rejected one falls faster, while the policy forgets the chosen one as well, and what gains is
// neither (Pal et al. 2024, "Smaug"; Razin et al. 2024, "Unintentional unalignment").
#pragma once

#include <optional>
#include <string>

#include "rl/run/metrics_log.h"
#include "rl/run/state_archive.h"

namespace rlhf {

class LikelihoodWatch {
 public:
  /// `reward_scale`: how many nats below a reward of 1 is, of methods whose rewards are beta times
  /// a log-ratio to the reference; 0: without a reference, the first interval is what later ones
  /// are compared with. `advice`: what a person may do, for the line.
  LikelihoodWatch(double reward_scale, std::string advice)
      : reward_scale_(reward_scale), advice_(std::move(advice)) {}

  /// Looks at an interval's logps/chosen, logps/rejected and, with a reference, rewards/...
  /// @returns what to say: the first time that both have fallen by a twentieth for three intervals.
  std::optional<std::string> check(int64_t step, const Metrics& metrics);

  /// Intervals in which both had fallen so far.
  int64_t count() const { return count_; }
  void archive(StateArchive& a);

 private:
  double reward_scale_;
  std::string advice_;
  int64_t known_ = 0;  // whether the first interval has been seen
  double first_chosen_ = 0, first_rejected_ = 0;
  int64_t in_a_row_ = 0, count_ = 0, told_ = 0;
};

}  // namespace rlhf
