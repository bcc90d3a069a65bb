// Comparisons and leases as parts of larger reads and writes.
#pragma once

#include "serve/store/comparisons.h"
#include "serve/store/sqlite.h"

namespace rlhf::store {

enum class LeaseState { open, voted, released, run_out };

/// @throws NotFound
Comparison load_comparison(Connection& connection, int64_t id);

struct LeaseRow {
  Lease lease;
  LeaseState state = LeaseState::open;
};
/// A lease of the person's, whatever its state. @throws NotFound
LeaseRow load_lease(Connection& connection, int64_t person, int64_t lease);

/// The five columns temperature, top_p, top_k, max_tokens, seed from `first` on.
Sampling sampling_at(const Statement& row, int first);

/// @throws NotFound unless there is such a row in a table of ours.
void check_exists(Connection& connection, std::string_view table, std::string_view what,
                  int64_t id);

}  // namespace rlhf::store
