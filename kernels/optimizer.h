// One pass over a flat arena of parameters per step, with a table that says what differs between
// segments of it.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// Elements [begin, end) of the arena. Segments are sorted, do not overlap, and need not cover all.
struct OptimizerSegment {
  int64_t begin, end;
  float rate = 1;   ///< factor on the step's learning rate
  float decay = 0;  ///< L2 or decoupled weight decay, see DecayMode
  float l1 = 0;     ///< factor of sign(parameter), added to the gradient
  bool frozen = false;
  uint64_t start = 0;  ///< steps taken before it began to learn: Adam's t counts from there
};

/// How `decay` enters: as part of the gradient (L2: Adam, SGD) or past the moments, scaled by the
/// learning rate only (AdamW; Loshchilov and Hutter 2019, algorithm 2).
enum class DecayMode { l2, decoupled };

/// How a bf16 parameter that is its own master is rounded after a step. To the nearest, most steps
/// are lost: they are smaller than half of its last digit. By chance, it goes to either neighbour
/// with a probability that makes its mean the unrounded value (Gupta et al. 2015, "Deep learning
/// with limited numerical precision", section 3), so that steps add up: bf16::by_chance() with the
/// upper half of word i % 4 of random_words(seed, RandomStream::rounding, rounding_site, step,
/// i / 4) for element i, seed and step from the StepState.
enum class ParameterRounding { nearest, by_chance };

/// What every optimizer reads: g = grad * *gradient_scale (clipping by norm without another pass).
/// Gradients, moments and the master are of the type that sums are kept in: float for bf16.
template <class T>
struct OptimizerArena {
  T* parameter;
  /// What the steps are added to, and the parameter is its rounding (mixed precision, Micikevicius
  /// et al. 2018); null: the parameter is its own master.
  Accumulator<T>* master = nullptr;
  const Accumulator<T>* gradient;
  int64_t count;
  const OptimizerSegment* segment;
  int64_t segments;
  const Accumulator<T>* gradient_scale = nullptr;  ///< null: 1
  const StepState* state;
  DecayMode decay_mode = DecayMode::decoupled;
  ParameterRounding rounding = ParameterRounding::nearest;
  uint32_t rounding_site = 0;  ///< tells arenas that are stepped together apart

  void visit(auto&& v) const {
    v.in("gradient", gradient, count);
    v.in("gradient_scale", gradient_scale, 1);
    v.record("segment", segment, segments);
    v.record("state", state, 1);
    v.inout("master", master, count);
    v.inout("parameter", parameter, count);
  }
};

/// Where epsilon stands. torch: beside the corrected root of v, as in algorithm 1 of Kingma and Ba.
/// tf: beside the root before its correction (the "epsilon hat" of their section 2), as TensorFlow
/// 1 had it; the same epsilon then damps the first steps by up to 1 / sqrt(1 - b2) more.
enum class AdamEpsilon { torch, tf };

/// m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
/// torch: parameter -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
/// tf:    parameter -= rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps)
/// (Kingma and Ba 2015, algorithm 1 and section 2), t = state->step - segment.start >= 1.
template <class T>
struct AdamStep {
  OptimizerArena<T> arena;
  Accumulator<T>* m;
  Accumulator<T>* v;
  float beta1 = 0.9f, beta2 = 0.999f, eps = 1e-8f;
  AdamEpsilon epsilon_form = AdamEpsilon::torch;

  void visit(auto&& v_) const {
    arena.visit(v_);
    v_.inout("m", m, arena.count);
    v_.inout("v", v, arena.count);
  }
  double flops() const { return 14.0 * double(arena.count); }
};

/// v = alpha v + (1 - alpha) g^2; b = momentum b + g / (sqrt(v) + eps); parameter -= rate * b
/// (Hinton 2012, lecture 6e; PyTorch's form of momentum).
template <class T>
struct RmsPropStep {
  OptimizerArena<T> arena;
  Accumulator<T>* v;
  Accumulator<T>* momentum_buffer;
  float alpha = 0.99f, momentum = 0, eps = 1e-8f;

  void visit(auto&& v_) const {
    arena.visit(v_);
    v_.inout("v", v, arena.count);
    v_.inout("momentum_buffer", momentum_buffer, arena.count);
  }
  double flops() const { return 9.0 * double(arena.count); }
};

/// b = momentum b + g; parameter -= rate * b (Polyak 1964, PyTorch's form without dampening).
template <class T>
struct SgdStep {
  OptimizerArena<T> arena;
  Accumulator<T>* momentum_buffer;
  float momentum = 0;

  void visit(auto&& v) const {
    arena.visit(v);
    v.inout("momentum_buffer", momentum_buffer, arena.count);
  }
  double flops() const { return 4.0 * double(arena.count); }
};

template <class T>
void run(Cpu, const AdamStep<T>&, Stream);
template <class T>
void run(Cuda, const AdamStep<T>&, Stream);
template <class T>
void run(Cpu, const RmsPropStep<T>&, Stream);
template <class T>
void run(Cuda, const RmsPropStep<T>&, Stream);
template <class T>
void run(Cpu, const SgdStep<T>&, Stream);
template <class T>
void run(Cuda, const SgdStep<T>&, Stream);

}  // namespace rlhf
