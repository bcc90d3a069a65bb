// The KL penalty to a reference model as a term of the loss, token by token, by the estimators of
// Schulman 2020, "Approximating KL divergence". What each is worth as a value and as a gradient are
// two questions (docs/algorithms/ppo.md); straight_through_k3 separates them.
#pragma once

#include "kernels/device.h"

namespace rlhf {

enum class KlLossKind {
  k1,  ///< d: its gradient has mean 0 and holds nothing back
  k2,  ///< d^2 / 2: its gradient is that of KL(pi, ref)
  k3,  ///< exp(-d) - 1 + d: unbiased as a value, its gradient is that of KL(ref, pi)
  straight_through_k3,  ///< the value of k3, the gradient of k2
};

/// d = log_prob - ref_log_prob, held within +- log_ratio_clamp; loss = the estimate, held within
/// +- clamp. A bound of 0: none. All (count).
template <class T>
struct KlLossForward {
  T* loss;
  const T* log_prob;
  const T* ref_log_prob;
  int64_t count;
  KlLossKind kind;
  float log_ratio_clamp = 0;
  float clamp = 0;

  void visit(auto&& v) const {
    v.in("log_prob", log_prob, count);
    v.in("ref_log_prob", ref_log_prob, count);
    v.out("loss", loss, count);
  }
  double flops() const { return 8.0 * double(count); }
};

/// d_log_prob = d_loss * d loss / d d, 0 where a bound holds.
template <class T>
struct KlLossBackward {
  GradientOut<T> d_log_prob;
  const T* d_loss;
  const T* log_prob;
  const T* ref_log_prob;
  int64_t count;
  KlLossKind kind;
  float log_ratio_clamp = 0;
  float clamp = 0;

  void visit(auto&& v) const {
    v.in("d_loss", d_loss, count);
    v.in("log_prob", log_prob, count);
    v.in("ref_log_prob", ref_log_prob, count);
    v.out("d_log_prob", d_log_prob.data, count, d_log_prob.accumulate);
  }
  double flops() const { return 8.0 * double(count); }
};

template <class T>
void run(Cpu, const KlLossForward<T>&, Stream);
template <class T>
void run(Cuda, const KlLossForward<T>&, Stream);
template <class T>
void run(Cpu, const KlLossBackward<T>&, Stream);
template <class T>
void run(Cuda, const KlLossBackward<T>&, Stream);

}  // namespace rlhf
