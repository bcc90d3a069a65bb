// Optimizer steps as one streaming pass over the arena: memory is read and written once, so the
// update formulas cost nothing beside it. Every a * b + c is an explicit fused operation: a
// parameter gets the same bits in the body of a SIMD loop and in its tail.
#include "kernels/optimizer.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/support/math.h"
#include "kernels/cpu/support/parallel.h"

namespace rlhf {
namespace {

using namespace cpu;

/// What one segment's update needs, beside the moments.
template <class T>
struct SegmentStep {
  T rate;    ///< learning rate of this step and segment
  T shrink;  ///< factor on the parameter before the update (decoupled decay)
  T decay;   ///< factor of the parameter in the gradient (L2)
  T l1;
  T scale;   ///< of the gradient
  double t;  ///< steps since this segment began to learn, this one included

  SegmentStep(const OptimizerArena<T>& arena, const OptimizerSegment& segment)
      : rate(T(arena.state->learning_rate) * T(segment.rate)),
        shrink(arena.decay_mode == DecayMode::decoupled ? 1 - rate * T(segment.decay) : T(1)),
        decay(arena.decay_mode == DecayMode::l2 ? T(segment.decay) : T(0)),
        l1(T(segment.l1)),
        scale(arena.gradient_scale ? *arena.gradient_scale : T(1)),
        t(double(arena.state->step - segment.start)) {}

  T gradient(T raw, T parameter) const {
    const T sign = parameter > 0 ? T(1) : parameter < 0 ? T(-1) : T(0);
    return fused(raw, scale, fused(decay, parameter, l1 * sign));
  }
};

/// Calls update(step, begin, end) for pieces of all segments that learn. What lies outside of any
/// segment is left alone. Threads share the arena, not each segment: many are a bias's few
/// elements.
template <class T>
void for_each_piece(const OptimizerArena<T>& arena, const auto& update) {
  constexpr int64_t grain = 1 << 10;
  parallel_ranges(arena.count, grain, double(arena.count), [&](int64_t from, int64_t to) {
    for (int64_t s = 0; s < arena.segments; s++) {
      const OptimizerSegment& segment = arena.segment[s];
      const int64_t begin = std::max(segment.begin, from), end = std::min(segment.end, to);
      if (begin >= end || segment.frozen) continue;
      update(SegmentStep<T>(arena, segment), begin, end);
      if (arena.master)
        std::copy(arena.master + begin, arena.master + end, arena.parameter + begin);
    }
  });
}

}  // namespace

template <class T>
void run(Cpu, const AdamStep<T>& c, Stream) {
  const T beta1 = T(c.beta1), beta2 = T(c.beta2);
  const OptimizerArena<T>& a = c.arena;
  T* const x = a.master ? a.master : a.parameter;
  for_each_piece(a, [&](const SegmentStep<T>& step, int64_t begin, int64_t end) {
    // 1 - beta^t loses all its digits in float while t is small.
    const T m_correction = T(1 / (1 - std::pow(double(c.beta1), step.t)));
    const T v_correction = T(1 / (1 - std::pow(double(c.beta2), step.t)));
    const T rate = step.rate * m_correction;
    const T eps = c.epsilon_form == AdamEpsilon::tf ? T(c.eps) * std::sqrt(v_correction) : T(c.eps);
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
      const T g = step.gradient(a.gradient[i], x[i]);
      const T m = fused(beta1, c.m[i], (1 - beta1) * g);
      const T v = fused(beta2, c.v[i], (1 - beta2) * g * g);
      c.m[i] = m;
      c.v[i] = v;
      const T move = rate * m / (std::sqrt(v * v_correction) + eps);
      x[i] = fused(x[i], step.shrink, -move);
    }
  });
}

template <class T>
void run(Cpu, const RmsPropStep<T>& c, Stream) {
  const T alpha = T(c.alpha), momentum = T(c.momentum), eps = T(c.eps);
  const OptimizerArena<T>& a = c.arena;
  T* const x = a.master ? a.master : a.parameter;
  for_each_piece(a, [&](const SegmentStep<T>& step, int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
      const T g = step.gradient(a.gradient[i], x[i]);
      const T v = fused(alpha, c.v[i], (1 - alpha) * g * g);
      const T velocity = fused(momentum, c.momentum_buffer[i], g / (std::sqrt(v) + eps));
      c.v[i] = v;
      c.momentum_buffer[i] = velocity;
      x[i] = fused(x[i], step.shrink, -step.rate * velocity);
    }
  });
}

template <class T>
void run(Cpu, const SgdStep<T>& c, Stream) {
  const T momentum = T(c.momentum);
  const OptimizerArena<T>& a = c.arena;
  T* const x = a.master ? a.master : a.parameter;
  for_each_piece(a, [&](const SegmentStep<T>& step, int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
      const T g = step.gradient(a.gradient[i], x[i]);
      const T velocity = fused(momentum, c.momentum_buffer[i], g);
      c.momentum_buffer[i] = velocity;
      x[i] = fused(x[i], step.shrink, -step.rate * velocity);
    }
  });
}

template void run(Cpu, const AdamStep<float>&, Stream);
template void run(Cpu, const AdamStep<double>&, Stream);
template void run(Cpu, const RmsPropStep<float>&, Stream);
template void run(Cpu, const RmsPropStep<double>&, Stream);
template void run(Cpu, const SgdStep<float>&, Stream);
template void run(Cpu, const SgdStep<double>&, Stream);

}  // namespace rlhf
