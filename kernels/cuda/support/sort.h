// A stable sort by small integer keys, the same for any distribution of them: what turns "which
// rows meet where" into sums in a fixed order, without atomics on floats.
#pragma once

#include "kernels/cuda/support/gpu.h"

namespace rlhf::gpu {

/// A key and what it belongs to.
struct Entry {
  int32_t key, index;
};

/// How many numbers sort_by_key counts in.
int64_t sort_counts(int64_t count);

/// Sorts entries by their keys, which are in [0, bound); equal keys stay in the order in which they
/// came. `entries` and `spare` (count each) take turns; the result is in the one that is returned.
Entry* sort_by_key(Entry* entries, Entry* spare, int32_t* counts, int64_t count, int64_t bound,
                   Stream stream);

/// first (bound + 1): first[k] = how many of the sorted entries have a key below k.
void find_first(int32_t* first, const Entry* sorted, int64_t count, int64_t bound, Stream stream);

}  // namespace rlhf::gpu
