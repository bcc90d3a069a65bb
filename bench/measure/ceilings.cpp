#include "bench/measure/ceilings.h"

#include <fmt/format.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <cstdint>
#include <memory>

#include "bench/measure/fma_burst.h"
#include "bench/measure/samples.h"
#include "core/check.h"
#include "kernels/memory.h"

namespace rlhf::bench {
namespace {

constexpr int kBursts = 60, kPasses = 12;

/// The least seconds in which all threads get through body(thread, threads), from when all have
/// begun until the last has ended.
template <class Body>
double best_of(int repetitions, [[maybe_unused]] int threads, const Body& body) {
  double best = 1e30;
  for (int i = 0; i < repetitions; i++) {
    double seconds = 0;
#ifdef _OPENMP
#pragma omp parallel num_threads(threads)
    {
#pragma omp barrier
      const auto start = Clock::now();
      body(omp_get_thread_num(), omp_get_num_threads());
#pragma omp barrier
#pragma omp master
      seconds = seconds_since(start);
    }
#else
    const auto start = Clock::now();
    body(0, 1);
    seconds = seconds_since(start);
#endif
    best = std::min(best, seconds);
  }
  return best;
}

double measure_flops(int threads, const Burst& burst) {
  if (burst.flops == 0) return 0;
  const int64_t rounds = int64_t{1} << 20;
  const double operations = double(rounds) * burst.flops;
  return threads * operations / best_of(kBursts, threads, [&](int, int) { burst.run(rounds); });
}

/// As long as the CPU's widest registers; integers, whose sums may be taken in any order.
using Line [[gnu::vector_size(64)]] = uint64_t;

void read_all(const Line* from, const Line* end) {
  Line a{}, b{}, c{}, d{};
  for (; from < end; from += 4) a += from[0], b += from[1], c += from[2], d += from[3];
  const Line sum = a + b + c + d;
  asm volatile("" : : "m"(sum));
}

double measure_reads(int threads) {
#ifdef _SC_LEVEL3_CACHE_SIZE
  const int64_t cache = std::max<int64_t>(0, sysconf(_SC_LEVEL3_CACHE_SIZE));
#else
  const int64_t cache = 0;
#endif
  const int64_t quads =
      std::max<int64_t>(int64_t{256} << 20, 4 * cache) / int64_t(4 * sizeof(Line));
  // As weights get it. Not written here: each thread touches first what it will read, so that its
  // own memory holds it.
  const auto release_lines = [](Line* memory) { release(Cpu{}, memory); };
  const std::unique_ptr<Line, decltype(release_lines)> lines(
      static_cast<Line*>(allocate(Cpu{}, size_t(4 * quads) * sizeof(Line))));
  check(lines != nullptr, "memory", "expected room to measure reads, got none");
  const auto share = [&](int thread, int all, auto&& body) {
    body(lines.get() + quads * thread / all * 4, lines.get() + quads * (thread + 1) / all * 4);
  };
  best_of(1, threads, [&](int thread, int all) {
    share(thread, all, [](Line* from, Line* end) { std::fill(from, end, Line{1}); });
  });
  const double seconds = best_of(kPasses, threads, [&](int thread, int all) {
    share(thread, all, [](Line* from, Line* end) { read_all(from, end); });
  });
  return double(4 * quads) * sizeof(Line) / seconds;
}

}  // namespace

Ceilings measure_ceilings(int threads) {
#ifndef _OPENMP
  threads = 1;
#endif
  return {threads, measure_flops(threads, fma_burst()), measure_reads(threads),
          measure_flops(threads, bf16_burst())};
}

std::string ceilings_text(const Ceilings& c) {
  const std::string bf16 =
      c.bf16_flops > 0 ? fmt::format(" ({:.1f} in bfloat16)", c.bf16_flops * 1e-9) : "";
  return fmt::format("{} thread{}: {:.1f} GFLOP/s{}, reads {:.1f} GB/s", c.threads,
                     c.threads == 1 ? "" : "s", c.flops * 1e-9, bf16, c.bytes * 1e-9);
}

int default_threads() {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

void use_threads([[maybe_unused]] int threads) {
#ifdef _OPENMP
  omp_set_num_threads(threads);
#endif
}

}  // namespace rlhf::bench
