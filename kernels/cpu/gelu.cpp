// GELU on the CPU: one SIMD loop a direction; fast_tanh is what keeps it near memory speed.
#include "kernels/gelu.h"

#include "kernels/cpu/support/math.h"
#include "kernels/cpu/support/parallel.h"

namespace rlhf {
namespace {

using cpu::fused;

constexpr double sqrt_2_over_pi = 0.7978845608028654;
constexpr double cubic = sqrt_2_over_pi * 0.044715;
constexpr int64_t grain = 1024;

/// The argument of tanh: sqrt(2/pi) (x + 0.044715 x^3).
template <class T>
inline T inner(T x) {
  return x * fused(T(cubic), x * x, T(sqrt_2_over_pi));
}

template <class T>
inline T derivative(T x) {
  const T tanh = cpu::fast_tanh(inner(x));
  const T d_inner = fused(T(3 * cubic), x * x, T(sqrt_2_over_pi));
  const T half = T(0.5) * x * fused(-tanh, tanh, T(1));
  return fused(half, d_inner, fused(T(0.5), tanh, T(0.5)));
}

}  // namespace

template <class T>
void run(Cpu, const GeluForward<T>& g, Stream) {
  cpu::parallel_ranges(g.count, grain, g.flops(), [&](int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
      const T half = T(0.5) * g.in[i];
      g.out[i] = fused(half, cpu::fast_tanh(inner(g.in[i])), half);
    }
  });
}

template <class T>
void run(Cpu, const GeluBackward<T>& g, Stream) {
  if (!g.d_in) return;
  cpu::parallel_ranges(g.count, grain, g.flops(), [&](int64_t begin, int64_t end) {
    T* d_in = g.d_in.data;
    if (g.d_in.accumulate) {
#pragma omp simd
      for (int64_t i = begin; i < end; i++)
        d_in[i] = fused(g.d_out[i], derivative(g.in[i]), d_in[i]);
    } else {
#pragma omp simd
      for (int64_t i = begin; i < end; i++) d_in[i] = g.d_out[i] * derivative(g.in[i]);
    }
  });
}

template void run(Cpu, const GeluForward<float>&, Stream);
template void run(Cpu, const GeluForward<double>&, Stream);
template void run(Cpu, const GeluBackward<float>&, Stream);
template void run(Cpu, const GeluBackward<double>&, Stream);

}  // namespace rlhf
