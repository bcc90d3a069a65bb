// Element-by-element sums on the CPU. Fused by hand: whether the compiler would fuse may differ
// between the vector body and the scalar tail of a loop.
#include "kernels/add.h"

#include "kernels/cpu/support/math.h"
#include "kernels/cpu/support/parallel.h"

namespace rlhf {
namespace {

constexpr int64_t grain = 4096;

}  // namespace

template <class T>
void run(Cpu, const AddScaled<T>& add, Stream) {
  const T scale = T(add.scale);
  cpu::parallel_ranges(add.count, grain, add.flops(), [&](int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; i++) add.out[i] = cpu::fused(scale, add.b[i], add.a[i]);
  });
}

template <class T>
void run(Cpu, const ScaleInto<T>& s, Stream) {
  if (!s.out) return;
  const T scale = T(s.scale);
  cpu::parallel_ranges(s.count, grain, s.flops(), [&](int64_t begin, int64_t end) {
    T* out = s.out.data;
    if (s.out.accumulate) {
#pragma omp simd
      for (int64_t i = begin; i < end; i++) out[i] = cpu::fused(scale, s.in[i], out[i]);
    } else {
#pragma omp simd
      for (int64_t i = begin; i < end; i++) out[i] = scale * s.in[i];
    }
  });
}

template void run(Cpu, const AddScaled<float>&, Stream);
template void run(Cpu, const AddScaled<double>&, Stream);
template void run(Cpu, const ScaleInto<float>&, Stream);
template void run(Cpu, const ScaleInto<double>&, Stream);

}  // namespace rlhf
