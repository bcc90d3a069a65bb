// The rows of `rlhf bench`: pieces of work at one size each, what they cost by counting, and what
// was measured of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/bench_flags.h"
#include "bench/measure/ceilings.h"
#include "bench/measure/samples.h"
#include "kernels/device_report.h"

namespace rlhf {

/// A piece of work that is repeated as a whole.
struct BenchTest {
  std::string name;     ///< "train 4x256", "pp512", "tg128"
  double tokens = 0;    ///< of a repetition: what tokens a second count
  double steps = 1;     ///< of a repetition: what milliseconds are of
  double flops = 0;     ///< of a repetition; 0: not counted
  double bytes = 0;     ///< that a repetition reads where reading limits it; 0: where it does not
  bool memory = false;  ///< whether its peak memory is told
  std::function<std::vector<double>(const Placement&, const bench::Repeats&)> time;
};

/// What is to be measured of a model, each once. Lengths that its context does not hold become what
/// it holds; the names say so.
std::vector<BenchTest> bench_tests(const BenchFlags& flags, const BenchSizes& sizes,
                                   const BenchModel& model, DType dtype);

struct BenchRow {
  std::string model;
  Gpt2Config config;
  int64_t parameters = 0;
  Placement placement;
  DeviceReport device = {};    ///< where the placement is
  DType weights = DType::f32;  ///< in memory
  int64_t threads = 0;
  BenchTest test;
  std::vector<double> seconds;  ///< of each timed repetition
  double peak_bytes = 0;        ///< 0: not known
  bench::Ceilings ceilings;     ///< 0: of a GPU, not known
  bool bf16_products = false;   ///< the CPU's, of parameters that stay in float32

  /// What its operations a second are held against.
  double peak() const { return ceilings.product_flops(bf16_products); }
};

}  // namespace rlhf
