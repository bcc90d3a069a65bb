// On how many threads the CPU's loops run, for a scope. A build without OpenMP has one.
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

namespace rlhf {

#ifdef _OPENMP
inline constexpr bool has_openmp = true;
inline int thread_count() { return omp_get_max_threads(); }
inline void set_thread_count(int count) { omp_set_num_threads(count); }
#else
inline constexpr bool has_openmp = false;
inline int thread_count() { return 1; }
inline void set_thread_count(int) {}
#endif

/// Kernels use this many threads until the end of the scope.
class WithThreads {
 public:
  explicit WithThreads(int count) : before_(thread_count()) { set_thread_count(count); }
  ~WithThreads() { set_thread_count(before_); }
  WithThreads(const WithThreads&) = delete;
  WithThreads& operator=(const WithThreads&) = delete;

 private:
  int before_;
};

}  // namespace rlhf
