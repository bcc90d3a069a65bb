// How far votes can be trusted and what they say: speed, bias for a place, agreement, and how a
// candidate does against what serves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/store/store.h"

namespace rlhf::store {

struct ChoiceCounts {
  int64_t better = 0, tie = 0, both_bad = 0, skip = 0;
  int64_t judged() const { return better + tie + both_bad; }
  ChoiceCounts& operator+=(const ChoiceCounts& more) {
    better += more.better, tie += more.tie, both_bad += more.both_bad, skip += more.skip;
    return *this;
  }
};

/// Of comparisons of two answers with a preferred one: which place it was shown at.
struct PositionBias {
  int64_t left = 0, right = 0;
  double p = 1;  ///< of so many or more on one side by chance (binomial, two-sided)
};

struct PersonStatistics {
  int64_t person = 0;
  std::string name;
  ChoiceCounts choices;
  int64_t today = 0;                     ///< judged since local midnight
  std::optional<double> median_seconds;  ///< a judgement
  PositionBias position;
  std::optional<double> agreement;  ///< with others on the same comparison, a share
  int64_t shared = 0;               ///< judgements that others share
};

/// Over comparisons that several people judged: which answer, a tie, or both bad, as names.
struct Agreement {
  int64_t comparisons = 0;
  std::optional<double> percent;  ///< a share, 0 to 1, of pairs of votes
  std::optional<double> kappa;    ///< Cohen's, when just two people share comparisons
  std::optional<double> alpha;    ///< Krippendorff's, nominal
};

struct CandidateResult {
  int64_t candidate = 0;
  int64_t wins = 0, losses = 0, ties = 0;  ///< of promotion votes; both bad is a tie
  double win_rate = 0.5;                   ///< ties half
  double low = 0, high = 1;                ///< Wilson 95 % interval of win_rate
  int64_t wanted = 0;                      ///< votes that its comparisons ask for in all
  int64_t votes() const { return wins + losses + ties; }
};

struct Statistics {
  ChoiceCounts choices;
  PositionBias position;
  Agreement agreement;
  std::vector<PersonStatistics> people;     ///< those who voted
  std::vector<CandidateResult> candidates;  ///< those with comparisons
};

/// All of it, in one snapshot; time grows with the votes (29 ms for 25,000 of 50 people).
Statistics statistics(Store& store);

CandidateResult candidate_result(Store& store, int64_t candidate);

/// A person's judgements in all and since local midnight: cheap.
struct PersonCounts {
  int64_t mine = 0, today = 0;
};
PersonCounts person_counts(Store& store, int64_t person);

}  // namespace rlhf::store
