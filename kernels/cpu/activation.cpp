// Activations on the CPU: one SIMD loop for each kind and direction.
#include "kernels/activation.h"

#include "kernels/cpu/support/math.h"
#include "kernels/cpu/support/parallel.h"
#include "kernels/cpu/support/vector.h"

namespace rlhf {
namespace {

using cpu::fused;

constexpr int64_t grain = 1024;

/// Calls body(derivative), derivative(out) being that of the kind.
template <class T>
void with_derivative(ActivationKind kind, const auto& body) {
  if (kind == ActivationKind::tanh) {
    body([](T out) { return fused(-out, out, T(1)); });
  } else {
    body([](T out) { return out > 0 ? T(1) : T(0); });
  }
}

}  // namespace

template <class T>
void run(Cpu, const ActivationForward<T>& c, Stream) {
  cpu::parallel_ranges(c.count, grain, c.flops() / cpu::lanes<T>, [&](int64_t begin, int64_t end) {
    if (c.kind == ActivationKind::tanh) {
#pragma omp simd
      for (int64_t i = begin; i < end; i++) c.out[i] = cpu::fast_tanh(c.in[i]);
    } else {
#pragma omp simd
      for (int64_t i = begin; i < end; i++) c.out[i] = c.in[i] < 0 ? T(0) : c.in[i];
    }
  });
}

template <class T>
void run(Cpu, const ActivationBackward<T>& c, Stream) {
  if (!c.d_in) return;
  T* const d_in = c.d_in.data;
  with_derivative<T>(c.kind, [&](const auto& derivative) {
    cpu::parallel_ranges(c.count, grain, c.flops() / cpu::lanes<T>,
                         [&](int64_t begin, int64_t end) {
                           if (c.d_in.accumulate) {
#pragma omp simd
                             for (int64_t i = begin; i < end; i++) {
                               d_in[i] = fused(c.d_out[i], derivative(c.out[i]), d_in[i]);
                             }
                           } else {
#pragma omp simd
                             for (int64_t i = begin; i < end; i++)
                               d_in[i] = c.d_out[i] * derivative(c.out[i]);
                           }
                         });
  });
}

template void run(Cpu, const ActivationForward<float>&, Stream);
template void run(Cpu, const ActivationForward<double>&, Stream);
template void run(Cpu, const ActivationBackward<float>&, Stream);
template void run(Cpu, const ActivationBackward<double>&, Stream);

}  // namespace rlhf
