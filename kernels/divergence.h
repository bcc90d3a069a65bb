// How far a model's next-token distributions are from a reference's, over the whole vocabulary:
// exact where an estimate from sampled tokens (kernels/kl_loss.h) would be biased, because the
// tokens came from neither of the two. The penalty of Quark (Lu et al. 2022, equation 2).
#pragma once

#include "kernels/device.h"

namespace rlhf {

enum class DivergenceKind {
  forward,  ///< KL(ref, p): p must cover all that the reference says
  reverse,  ///< KL(p, ref): p must say nothing that the reference would not
};

/// With p = softmax(logits / temperature) and q = softmax(ref_logits / temperature), per row:
/// divergence = sum_v q_v (log q_v - log p_v), or with p and q exchanged.
/// logits, ref_logits: (N, V), rows `stride` elements apart; divergence, lse, ref_lse: (N).
template <class T>
struct DivergenceForward {
  Accumulator<T>* divergence;
  Accumulator<T>* lse;      ///< log sum exp of logits / temperature, kept for the backward
  Accumulator<T>* ref_lse;  ///< the same of the reference
  const T* logits;
  const T* ref_logits;
  int64_t N, V;
  DivergenceKind kind = DivergenceKind::forward;
  float inverse_temperature = 1;
  int64_t stride = 0;  ///< 0: V

  constexpr int64_t row() const { return stride > 0 ? stride : V; }

  void visit(auto&& v) const {
    v.in("logits", logits, strided_count(N, V, row()));
    v.in("ref_logits", ref_logits, strided_count(N, V, row()));
    v.out("divergence", divergence, N);
    v.out("lse", lse, N);
    v.out("ref_lse", ref_lse, N);
  }
  double flops() const { return 10.0 * double(N * V); }
};

/// Replaces logits by their gradient, in place: d_logits_v = d_divergence / temperature times
/// p_v - q_v (forward), or p_v (log p_v - log q_v - divergence) (reverse).
template <class T>
struct DivergenceBackward {
  T* logits;  ///< in: logits; out: d_logits; (N, V)
  const T* ref_logits;
  const Accumulator<T>* d_divergence;
  const Accumulator<T>* divergence;
  const Accumulator<T>* lse;
  const Accumulator<T>* ref_lse;
  int64_t N, V;
  DivergenceKind kind = DivergenceKind::forward;
  float inverse_temperature = 1;
  int64_t stride = 0;  ///< 0: V

  constexpr int64_t row() const { return stride > 0 ? stride : V; }

  void visit(auto&& v) const {
    v.in("ref_logits", ref_logits, strided_count(N, V, row()));
    v.in("d_divergence", d_divergence, N);
    v.in("divergence", divergence, N);
    v.in("lse", lse, N);
    v.in("ref_lse", ref_lse, N);
    v.inout("logits", logits, strided_count(N, V, row()));
  }
  double flops() const { return 10.0 * double(N * V); }
};

template <class T>
void run(Cpu, const DivergenceForward<T>&, Stream);
template <class T>
void run(Cuda, const DivergenceForward<T>&, Stream);
template <class T>
void run(Cpu, const DivergenceBackward<T>&, Stream);
template <class T>
void run(Cuda, const DivergenceBackward<T>&, Stream);

}  // namespace rlhf
