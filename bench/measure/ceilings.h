// The two ceilings of a CPU that its work is held against, measured where the work is, not looked
// up: how fast it multiplies and adds with all operands in registers, and how fast it reads an
// array that no cache holds. A kernel's share of the one that limits it says what is left to gain.
#pragma once

#include <string>

namespace rlhf::bench {

struct Ceilings {
  int threads = 1;
  double flops = 0;  ///< float operations a second of fused multiply-adds, two each, of all threads
  double bytes = 0;  ///< bytes read from memory a second, by all threads
  double bf16_flops = 0;  ///< of dot products of bfloat16 pairs; 0: the CPU has none

  /// What products are held against: in float, or of bfloat16 where the CPU has them.
  double product_flops(bool bf16) const { return bf16 && bf16_flops > 0 ? bf16_flops : flops; }
};

/// The best of some tens of bursts of a few milliseconds: what the cores do when nobody else has
/// them. Takes about a second and, for that long, an array of at least 256 MiB.
/// REQUIRES: threads of at least 1; without OpenMP it counts as 1.
Ceilings measure_ceilings(int threads);

/// "1 thread: 118.1 GFLOP/s (236.0 in bfloat16), reads 21.3 GB/s".
std::string ceilings_text(const Ceilings& ceilings);

/// Threads that the CPU's loops use unless somebody says otherwise (OMP_NUM_THREADS, or the cores).
int default_threads();
/// Lets the CPU's loops use so many from here on.
void use_threads(int threads);

}  // namespace rlhf::bench
