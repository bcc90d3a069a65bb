// From sampled tokens to a score: where a response ends, what of it is judged, and the rules that
// change the judgement (scaling, clipping, missing ends, length).
#pragma once

#include <vector>

#include "nn/generate.h"
#include "rl/ppo_config.h"
#include "rl/rollout.h"
#include "rl/running_statistics.h"

namespace rlhf {

/// How responses of an update are drawn; sequences count from `first_episode`.
SamplingOptions sampling_options(const PpoConfig& config, int32_t eos, uint64_t first_episode);

/// Finds each response's end: the first stop token at or after config.truncate_after. What follows
/// is dropped, or with sample_past_end only hidden from the score (`judged`).
void end_responses(std::vector<Episode>& episodes, const PpoConfig& config, int32_t eos);

/// The episodes as a ScoreFunction is to see them: up to their end, `stopped` iff the last token is
/// the end token that reward models read.
std::vector<Episode> judged_episodes(const std::vector<Episode>& episodes, int32_t eos);

class ScoreRules {
 public:
  explicit ScoreRules(const PpoConfig& config) : config_(config) {}
  /// Fills in `score` from `raw_score`.
  void apply(std::vector<Episode>& episodes);
  void archive(StateArchive& a) { seen_.archive(a, "scores"); }

 private:
  const PpoConfig& config_;
  RunningStatistics seen_;
};

}  // namespace rlhf
