// Beside each time of a Google Benchmark program: operations and bytes a second, and what share of
// this machine's ceilings that is, measured by the program at its start and stated at its head.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <set>
#include <string>

#include "bench/measure/ceilings.h"

namespace rlhf::bench {

/// "GFLOP/s" and "GB/s" of a benchmark, from operations and bytes of one iteration; 0: not counted.
inline void count_rates(benchmark::State& state, double flops, double bytes) {
  using benchmark::Counter;
  const auto rate = [](double amount) {
    return Counter(amount * 1e-9, Counter::kIsIterationInvariantRate);
  };
  if (flops > 0) state.counters["GFLOP/s"] = rate(flops);
  if (bytes > 0) state.counters["GB/s"] = rate(bytes);
}

class CeilingCounters {
 public:
  /// Measures, about a second for each number of threads. Before benchmarks run.
  explicit CeilingCounters(const std::set<int>& threads) {
    for (const int count : threads) {
      const Ceilings& measured = ceilings_[count] = measure_ceilings(count);
      benchmark::AddCustomContext("ceilings, " + std::to_string(count) + " threads",
                                  ceilings_text(measured));
    }
  }

  /// The rates, "%FMA" and "%read". What caches hold exceeds the reads from memory.
  /// `bf16`: the products are of bfloat16, and so is their ceiling.
  void count(benchmark::State& state, int threads, double flops, double bytes,
             bool bf16 = false) const {
    using benchmark::Counter;
    count_rates(state, flops, bytes);
    const Ceilings& ceilings = ceilings_.at(threads);
    const auto share = [](double amount, double ceiling) {
      return Counter(100 * amount / ceiling, Counter::kIsIterationInvariantRate);
    };
    if (flops > 0) state.counters["%FMA"] = share(flops, ceilings.product_flops(bf16));
    if (bytes > 0) state.counters["%read"] = share(bytes, ceilings.bytes);
  }

 private:
  std::map<int, Ceilings> ceilings_;
};

}  // namespace rlhf::bench
