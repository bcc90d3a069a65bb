// Log-probability of chosen tokens and the entropy of each row's distribution, from logits. This
// one pair of kernels is behind the language-model loss (cross-entropy is minus the log-probability
// of the next token), behind PPO's ratio and behind every preference loss. Callers may pass the
// logits of a chunk of rows at a time, so that all (B*T, V) logits never exist at once.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// With z = logits / temperature and lse = log sum_v exp(z_v), per row:
/// log_prob = z_target - lse;  entropy = lse - sum_v p_v z_v, p = softmax(z).
/// A row with target < 0 is ignored: both are exactly 0 there (padding, prompts).
/// logits: (N, V), rows `stride` elements apart; target, log_prob, entropy, lse: (N). What lies
/// between rows of logits is neither read nor written.
template <class T>
struct LogProbForward {
  Accumulator<T>* log_prob;
  Accumulator<T>* entropy;  ///< null: not wanted
  Accumulator<T>* lse;      ///< kept for the backward
  const T* logits;
  const int32_t* target;
  int64_t N, V;
  float inverse_temperature = 1;
  int64_t stride = 0;  ///< 0: V

  constexpr int64_t row() const { return stride > 0 ? stride : V; }

  void visit(auto&& v) const {
    v.in("logits", logits, strided_count(N, V, row()));
    v.index("target", target, N, V);
    v.out("log_prob", log_prob, N);
    v.out("entropy", entropy, N);
    v.out("lse", lse, N);
  }
  double flops() const { return 4.0 * double(N * V); }
};

/// Replaces logits by their gradient, in place: with H the row's entropy,
/// d_logits_v = (d_log_prob (1[v = target] - p_v) - d_entropy p_v (log p_v + H)) / temperature.
template <class T>
struct LogProbBackward {
  T* logits;                         ///< in: logits; out: d_logits; (N, V)
  const Accumulator<T>* d_log_prob;  ///< null: zero
  const Accumulator<T>* d_entropy;   ///< null: zero
  const Accumulator<T>* entropy;     ///< read only with d_entropy
  const Accumulator<T>* lse;
  const int32_t* target;
  int64_t N, V;
  float inverse_temperature = 1;
  int64_t stride = 0;  ///< 0: V

  constexpr int64_t row() const { return stride > 0 ? stride : V; }

  void visit(auto&& v) const {
    v.in("d_log_prob", d_log_prob, N);
    v.in("d_entropy", d_entropy, N);
    v.in("entropy", entropy, N);
    v.in("lse", lse, N);
    v.index("target", target, N, V);
    v.inout("logits", logits, strided_count(N, V, row()));
  }
  double flops() const { return 6.0 * double(N * V); }
};

template <class T>
void run(Cpu, const LogProbForward<T>&, Stream);
template <class T>
void run(Cuda, const LogProbForward<T>&, Stream);
template <class T>
void run(Cpu, const LogProbBackward<T>&, Stream);
template <class T>
void run(Cuda, const LogProbBackward<T>&, Stream);

}  // namespace rlhf
