// Random orders of examples as pure functions of a seed (and epoch): a resumed run has no shuffling
// state to restore, and every machine sees the same order.
#pragma once

#include <cstdint>
#include <vector>

namespace rlhf {

/// The numbers 0 to n-1 in the order of one epoch.
std::vector<int64_t> permutation(int64_t n, uint64_t seed, uint64_t epoch);

/// Two disjoint sets of indices, each ascending.
struct Split {
  std::vector<int64_t> train, eval;
};

/// Splits 0 to n-1 at random: round(n * fraction) indices for evaluation, the others for training;
/// with 0 < fraction < 1 and n > 1 neither is empty.
/// @throws InputError unless fraction is within [0, 1).
Split split(int64_t n, double fraction, uint64_t seed);

}  // namespace rlhf
