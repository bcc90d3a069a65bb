// Responses that were judged and the condition that each is to be learnt under. Quark's pool keeps
// all of a run and sorts them anew in every round (Lu et al. 2022, section 2, "quantization").
#pragma once

#include <span>
#include <vector>

#include "rl/rollout.h"
#include "rl/run/state_archive.h"

namespace rlhf {

struct JudgedResponse {
  int64_t row = 0;        ///< of its prompt
  Tokens response;        ///< with the end token where it was reached
  double score = 0;       ///< what the condition is chosen by
  int64_t condition = 0;  ///< that it is to be learnt under
};
using ResponseSlice = std::span<const JudgedResponse* const>;

/// All of their tokens.
int64_t count_learnt_tokens(ResponseSlice responses);

/// What is left to learn of sampled episodes; conditions are 0.
std::vector<JudgedResponse> judged_responses(std::span<const Episode> episodes);

/// The quantile of each score among `count` of equal size, 0 the lowest: floor(count * middle rank
/// / n), the middle rank of a score without equals being its place + 1/2. Equal scores are never
/// told apart: they share the quantile of their middle rank, but that the highest score always is
/// in the last quantile and the lowest in the first, so that the best condition has something to be
/// learnt from. Scores that are all equal are in the last.
std::vector<int64_t> quantiles_of(std::span<const double> scores, int64_t count);

class ResponsePool {
 public:
  void add(std::span<const JudgedResponse> responses);
  /// Gives every response the quantile of its score as its condition.
  void sort(int64_t quantiles);
  std::span<const JudgedResponse> all() const { return responses_; }
  /// The lowest score among those of a condition; REQUIRES: there is one.
  double least_score(int64_t condition) const;
  void archive(StateArchive& a);

 private:
  std::vector<JudgedResponse> responses_;
};

}  // namespace rlhf
