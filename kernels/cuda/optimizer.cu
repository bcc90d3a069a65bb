// Optimizer steps as one streaming pass over the arena. What a segment's update needs is computed
// once, by a small kernel before it: 1 - beta^t asks for powers in double.
#include "kernels/optimizer.h"

#include "kernels/cuda/support/block.h"
#include "kernels/cuda/support/quad.h"
#include "kernels/philox.h"

namespace rlhf {
namespace {

using namespace gpu;

/// A segment of the table as its elements see it in this step.
struct SegmentStep {
  int64_t begin, end;
  float rate;    ///< learning rate of this step and segment
  float shrink;  ///< factor on the parameter before the update (decoupled decay)
  float decay;   ///< factor of the parameter in the gradient (L2)
  float l1;
  float scale;         ///< of the gradient
  float v_correction;  ///< of Adam's v
  float eps;
  bool frozen;

  __device__ float gradient(float raw, float parameter) const {
    const float sign = parameter > 0 ? 1 : parameter < 0 ? -1 : 0;
    return fmaf(raw, scale, fmaf(decay, parameter, l1 * sign));
  }
};

// Each rule: what prepare() adds to a segment's step, t steps after it began to learn, and how far
// advance() takes parameter i against its gradient g.

struct AdamRule {
  float *m, *v;
  float beta1, beta2, eps;
  AdamEpsilon epsilon_form;

  __device__ void prepare(SegmentStep& step, double t) const {
    // 1 - beta^t loses all its digits in float while t is small.
    step.v_correction = float(1 / (1 - pow(double(beta2), t)));
    step.rate *= float(1 / (1 - pow(double(beta1), t)));
    step.eps = epsilon_form == AdamEpsilon::tf ? eps * sqrtf(step.v_correction) : eps;
  }
  template <int n>
  __device__ Few<n> advance(const SegmentStep& step, int64_t i, const Few<n>& g) const {
    Few<n> ms = load_few<n>(m + i), vs = load_few<n>(v + i), move;
#pragma unroll
    for (int j = 0; j < n; j++) {
      ms[j] = fmaf(beta1, ms[j], (1 - beta1) * g[j]);
      vs[j] = fmaf(beta2, vs[j], (1 - beta2) * g[j] * g[j]);
      move[j] = step.rate * ms[j] / (sqrtf(vs[j] * step.v_correction) + step.eps);
    }
    store_few(m + i, ms);
    store_few(v + i, vs);
    return move;
  }
};

struct RmsPropRule {
  float *v, *momentum_buffer;
  float alpha, momentum, eps;

  __device__ void prepare(SegmentStep&, double) const {}
  template <int n>
  __device__ Few<n> advance(const SegmentStep& step, int64_t i, const Few<n>& g) const {
    Few<n> vs = load_few<n>(v + i), velocity = load_few<n>(momentum_buffer + i), move;
#pragma unroll
    for (int j = 0; j < n; j++) {
      vs[j] = fmaf(alpha, vs[j], (1 - alpha) * g[j] * g[j]);
      velocity[j] = fmaf(momentum, velocity[j], g[j] / (sqrtf(vs[j]) + eps));
      move[j] = step.rate * velocity[j];
    }
    store_few(v + i, vs);
    store_few(momentum_buffer + i, velocity);
    return move;
  }
};

struct SgdRule {
  float* momentum_buffer;
  float momentum;

  __device__ void prepare(SegmentStep&, double) const {}
  template <int n>
  __device__ Few<n> advance(const SegmentStep& step, int64_t i, const Few<n>& g) const {
    Few<n> velocity = load_few<n>(momentum_buffer + i), move;
#pragma unroll
    for (int j = 0; j < n; j++) {
      velocity[j] = fmaf(momentum, velocity[j], g[j]);
      move[j] = step.rate * velocity[j];
    }
    store_few(momentum_buffer + i, velocity);
    return move;
  }
};

template <class T, class Rule>
__global__ void prepare_kernel(OptimizerArena<T> a, Rule rule, SegmentStep* steps) {
  const int64_t s = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (s >= a.segments) return;
  const OptimizerSegment& segment = a.segment[s];
  SegmentStep step{.begin = segment.begin,
                   .end = segment.end,
                   .rate = a.state->learning_rate * segment.rate,
                   .shrink = 1,
                   .decay = 0,
                   .l1 = segment.l1,
                   .scale = a.gradient_scale ? *a.gradient_scale : 1,
                   .v_correction = 1,
                   .eps = 0,
                   .frozen = segment.frozen};
  if (a.decay_mode == DecayMode::decoupled) step.shrink = 1 - step.rate * segment.decay;
  if (a.decay_mode == DecayMode::l2) step.decay = segment.decay;
  rule.prepare(step, double(a.state->step - segment.start));
  steps[s] = step;
}

/// Rounds the new values of parameters i, i + 1, ... and writes them.
template <int n>
__device__ inline void write_parameters(const OptimizerArena<float>& a, int64_t i,
                                        const Few<n>& x) {
  store_few(a.parameter + i, x);
}
template <int n>
__device__ inline void write_parameters(const OptimizerArena<bf16>& a, int64_t i, const Few<n>& x) {
  if (a.master || a.rounding == ParameterRounding::nearest) {
    store_few(a.parameter + i, x);
    return;
  }
  const PhiloxWords words = random_words(a.state->seed, RandomStream::rounding, a.rounding_site,
                                         a.state->step, uint64_t(i) / 4);
  Few<n> rounded;
#pragma unroll
  for (int j = 0; j < n; j++) {
    // Selected, not indexed: words stay in registers.
    const int at = int(i % 4) + j;
    const uint32_t word = at == 0 ? words[0] : at == 1 ? words[1] : at == 2 ? words[2] : words[3];
    rounded[j] = bf16::by_chance(x[j], uint16_t(word >> 16));
  }
  store_few(a.parameter + i, rounded);
}

/// REQUIRES: i is a multiple of n, which is 1 or 4; all n are in the step's segment.
template <int n, class T, class Rule>
__device__ inline void update(const OptimizerArena<T>& a, const SegmentStep& step, const Rule& rule,
                              int64_t i) {
  Few<n> x = a.master ? load_few<n>(a.master + i) : load_few<n>(a.parameter + i);
  Few<n> g = load_few<n>(a.gradient + i);
#pragma unroll
  for (int j = 0; j < n; j++) g[j] = step.gradient(g[j], x[j]);
  const Few<n> move = rule.template advance<n>(step, i, g);
#pragma unroll
  for (int j = 0; j < n; j++) x[j] = fmaf(x[j], step.shrink, -move[j]);
  if (a.master) store_few(a.master + i, x);
  write_parameters(a, i, x);
}

constexpr int threads = 256, rounds = 4;

/// A block's share of the arena: `rounds` times n neighbours for each thread.
template <int n, class T, class Rule>
__global__ void __launch_bounds__(threads)
    step_kernel(OptimizerArena<T> a, Rule rule, const SegmentStep* steps) {
  const int64_t share = int64_t(blockIdx.x) * (rounds * threads * n);
  int before = 0;  // segments that end before this share begins
  for (int64_t s = threadIdx.x; s < a.segments; s += threads) before += steps[s].end <= share;
  int64_t s = block_sum(before);
  const auto in_segment = [&](int64_t i, int count) {
    while (s < a.segments && steps[s].end <= i) s++;
    return s < a.segments && steps[s].begin <= i && i + count <= steps[s].end;
  };
  for (int round = 0; round < rounds; round++) {
    const int64_t first = share + (int64_t(round) * threads + threadIdx.x) * n;
    if (first < a.count && in_segment(first, n)) {
      if (!steps[s].frozen) update<n>(a, steps[s], rule, first);
      continue;
    }
    for (int64_t i = first; n > 1 && i < first + n && i < a.count; i++) {
      if (in_segment(i, 1) && !steps[s].frozen) update<1>(a, steps[s], rule, i);
    }
  }
}

/// Moves all parameters by a rule; `buffers` are its moments.
template <class T, class Rule, class... Buffer>
void step_arena(const char* name, const OptimizerArena<T>& a, const Rule& rule, Stream stream,
                Buffer*... buffers) {
  if (a.count == 0 || a.segments == 0) return;
  SegmentStep* const steps = scratch<SegmentStep>(a.segments, stream);
  launch({"optimizer_segments", blocks_for(a.segments, threads), threads, stream},
         prepare_kernel<T, Rule>, a, rule, steps);
  const auto go = [&](auto n) {
    launch({name, blocks_for(a.count, int64_t(n) * rounds * threads), threads, stream},
           step_kernel<n, T, Rule>, a, rule, steps);
  };
  if (quads_fit(a.parameter, a.master, a.gradient, buffers...)) {
    go(std::integral_constant<int, 4>{});
  } else {
    go(std::integral_constant<int, 1>{});
  }
}

}  // namespace

template <class T>
void run(Cuda, const AdamStep<T>& c, Stream stream) {
  step_arena("adam", c.arena, AdamRule{c.m, c.v, c.beta1, c.beta2, c.eps, c.epsilon_form}, stream,
             c.m, c.v);
}

template <class T>
void run(Cuda, const RmsPropStep<T>& c, Stream stream) {
  step_arena("rmsprop", c.arena, RmsPropRule{c.v, c.momentum_buffer, c.alpha, c.momentum, c.eps},
             stream, c.v, c.momentum_buffer);
}

template <class T>
void run(Cuda, const SgdStep<T>& c, Stream stream) {
  step_arena("sgd", c.arena, SgdRule{c.momentum_buffer, c.momentum}, stream, c.momentum_buffer);
}

template void run(Cuda, const AdamStep<float>&, Stream);
template void run(Cuda, const AdamStep<bf16>&, Stream);
template void run(Cuda, const RmsPropStep<float>&, Stream);
template void run(Cuda, const RmsPropStep<bf16>&, Stream);
template void run(Cuda, const SgdStep<float>&, Stream);
template void run(Cuda, const SgdStep<bf16>&, Stream);

}  // namespace rlhf
