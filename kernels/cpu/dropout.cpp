// Dropout on the CPU. One Philox call makes the words of four neighbours; blocks of such calls are
// drawn ahead into an array, which lets the compiler run the rounds as SIMD.
#include "kernels/dropout.h"

#include <algorithm>

#include "kernels/cpu/support/parallel.h"

namespace rlhf {
namespace {

constexpr int64_t block = 256;

/// out over elements [begin, end), at most one block; begin is a multiple of 4.
template <class T>
void drop(const Dropout<T>& d, int64_t begin, int64_t end) {
  uint32_t word[block];
  const int64_t quads = (end - begin + 3) / 4;
  const uint64_t seed = d.random.state->seed, draw = d.random.state->draw;
#pragma omp simd
  for (int64_t q = 0; q < quads; q++) {
    const PhiloxWords words =
        random_words(seed, d.random.stream, d.random.site, draw, uint64_t(begin / 4 + q));
    for (int j = 0; j < 4; j++) word[4 * q + j] = words[size_t(j)];
  }
  const T scale = T(1) / (T(1) - T(d.probability));
  T* out = d.out.data + begin;
  const T* in = d.in + begin;
#pragma omp simd
  for (int64_t i = 0; i < end - begin; i++) {
    const T value = unit_float(word[i]) >= d.probability ? scale * in[i] : T(0);
    out[i] = d.out.accumulate ? out[i] + value : value;
  }
}

}  // namespace

template <class T>
void run(Cpu, const Dropout<T>& d, Stream) {
  if (!d.out) return;
  constexpr double cost = 8;  // of a draw, next to which the product is nothing
  cpu::parallel_ranges(d.count, block, cost * d.flops(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += block) drop(d, i, std::min(i + block, end));
  });
}

template void run(Cpu, const Dropout<float>&, Stream);
template void run(Cpu, const Dropout<double>&, Stream);

}  // namespace rlhf
