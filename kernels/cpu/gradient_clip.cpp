// The norm as sums over fixed blocks, in double, added in the order of the blocks: the same bits
// for any number of threads, and no overflow before a gradient itself overflows.
#include "kernels/gradient_clip.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/support/parallel.h"
#include "kernels/cpu/support/scratch.h"

namespace rlhf {
namespace {

constexpr int64_t block_size = 1 << 13;

template <class T>
double block_sum_of_squares(const T* values, int64_t count) {
  constexpr int64_t partial_sums = 32;
  double sums[partial_sums] = {};
  int64_t at = 0;
  for (; at + partial_sums <= count; at += partial_sums) {
#pragma omp simd
    for (int64_t i = 0; i < partial_sums; i++)
      sums[i] += double(values[at + i]) * double(values[at + i]);
  }
  for (int64_t i = 0; at + i < count; i++) {
    sums[i] += double(values[at + i]) * double(values[at + i]);
  }
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

}  // namespace

template <class T>
void run(Cpu, const GradientNorm<T>& c, Stream) {
  static thread_local cpu::Scratch<double> scratch;
  const int64_t blocks = (c.count + block_size - 1) / block_size;
  double* const sums = scratch.reserve(blocks);
  cpu::parallel_for(blocks, double(c.count), [&](int64_t block) {
    const int64_t begin = block * block_size;
    sums[block] = block_sum_of_squares(c.gradient + begin, std::min(block_size, c.count - begin));
  });
  double sum = 0;
  for (int64_t block = 0; block < blocks; block++) sum += sums[block];
  const double norm = std::sqrt(sum), limit = double(c.max_norm) / (norm + 1e-6);
  *c.norm = Accumulator<T>(norm);
  // A NaN norm gives a NaN scale: hiding it would only move the failure.
  *c.scale = Accumulator<T>(c.max_norm == 0 || limit > 1 ? 1 : limit);
}

template <class T>
void run(Cpu, const GradientClipValue<T>& c, Stream) {
  const T limit = T(c.limit);
  cpu::parallel_ranges(c.count, block_size, double(c.count), [&](int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
      c.gradient[i] = std::min(std::max(c.gradient[i], -limit), limit);
    }
  });
}

template void run(Cpu, const GradientNorm<float>&, Stream);
template void run(Cpu, const GradientNorm<double>&, Stream);
template void run(Cpu, const GradientClipValue<float>&, Stream);
template void run(Cpu, const GradientClipValue<double>&, Stream);

}  // namespace rlhf
