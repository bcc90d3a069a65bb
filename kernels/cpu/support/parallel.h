// Loops over threads. Work is handed out in pieces whose results do not depend on which thread
// takes them; a loop too small to repay waking the threads runs where it is called. A build without
// OpenMP (RLHF_OPENMP=OFF) runs all of them there.
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <cstdint>

namespace rlhf::cpu {

/// Elementary operations below which one thread is faster than several.
inline constexpr double parallel_threshold = 50000;

/// How many threads `work` elementary operations deserve here and now.
inline int useful_threads([[maybe_unused]] double work) {
#ifdef _OPENMP
  return work < parallel_threshold || omp_in_parallel() ? 1 : omp_get_max_threads();
#else
  return 1;
#endif
}

/// body(begin, end) over ranges that cover [0, count), each but the last a multiple of `grain`.
template <class Body>
void parallel_ranges(int64_t count, int64_t grain, double work, Body&& body) {
  const int64_t pieces = (count + grain - 1) / grain;
  const int threads = int(std::min<int64_t>(useful_threads(work), pieces));
  if (threads <= 1) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
  {
    const int64_t me = omp_get_thread_num(), all = omp_get_num_threads();
    const int64_t begin = pieces * me / all * grain;
    const int64_t end = std::min(count, pieces * (me + 1) / all * grain);
    if (begin < end) body(begin, end);
  }
#endif
}

/// body(i) for every i in [0, count); `work` is that of the whole loop.
template <class Body>
void parallel_for(int64_t count, double work, Body&& body) {
  parallel_ranges(count, 1, work, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) body(i);
  });
}

}  // namespace rlhf::cpu
