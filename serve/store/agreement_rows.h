// Votes on comparisons that several people judged, in the form that data/agreement.h takes.
#pragma once

#include <vector>

#include "data/agreement.h"
#include "serve/store/sqlite.h"
#include "serve/store/statistics.h"

namespace rlhf::store {

struct SharedVotes {
  std::vector<rlhf::Vote> votes;  ///< values: a slot, or below 0 for a tie or both bad
  std::vector<int64_t> people;    ///< ids, by a vote's annotator
};

SharedVotes shared_votes(Connection& connection);
Agreement agreement_of(const SharedVotes& shared);

}  // namespace rlhf::store
