// The rules between what a reward model or function says of a response and the score that a policy
// learns from: scaling, clipping, missing ends, length. The same for every online algorithm.
#pragma once

#include <vector>

#include "rl/rollout.h"
#include "rl/running_statistics.h"

namespace rlhf {

/// What to do with the score of a response that never reached its end.
enum class MissingEos { keep, subtract, replace };
/// What scores are divided by, and whether their mean is taken off, over all scores of the run.
enum class ScoreScaling { none, deviation, mean_and_deviation };

/// In this order of use.
struct ScoreRulesConfig {
  ScoreScaling scaling = ScoreScaling::none;
  double clip = 0;  ///< scaled scores are held within +- this; 0: off
  MissingEos missing_eos = MissingEos::subtract;
  double missing_eos_penalty = 1;  ///< subtracted from the score, or minus it replaces the score
  double length_penalty = 0;       ///< subtracted a token
  int64_t overlong_buffer = 0;     ///< last tokens of a full response that cost; 0: off
  double overlong_penalty = 1;     ///< what a response of full length loses then
};

/// @throws InputError for a buffer longer than a response.
void validate(const ScoreRulesConfig& config, int64_t response_length);

class ScoreRules {
 public:
  /// `response_length`: tokens of a full response.
  ScoreRules(const ScoreRulesConfig& config, int64_t response_length)
      : config_(config), response_length_(response_length) {}
  /// Fills in `score` from `raw_score`.
  void apply(std::vector<Episode>& episodes);
  void archive(StateArchive& a) { seen_.archive(a, "scores"); }

 private:
  double length_cost(int64_t length) const;

  ScoreRulesConfig config_;
  int64_t response_length_;
  RunningStatistics seen_;
};

}  // namespace rlhf
