// Losses that teach a language model from what people preferred, without a reward model between
// them: each takes the log-probabilities of whole completions (kernels/segment_sum.h). DPO's family
// and SimPO compare two completions of a prompt, ORPO compares their odds, KTO judges one alone.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// lead = (chosen - ref_chosen) - (rejected - ref_rejected), u = beta lead - gamma, and with e the
/// label smoothing
///   sigmoid: -(1 - e) log sigmoid(u) - e log sigmoid(-u) (Rafailov et al. 2023, equation 7; e:
///            conservative DPO, Mitchell 2023; gamma: SimPO, Meng et al. 2024, equation 6)
///   hinge:   max(0, 1 - u) (Zhao et al. 2023, SLiC)
///   ipo:     (lead - 1 / (2 beta))^2 of log-probabilities a token (Azar et al. 2023, equation 17)
///   robust:  (-(1 - e) log sigmoid(u) + e log sigmoid(-u)) / (1 - 2 e), whose mean over flipped
///            labels is the loss without flips (Chowdhury et al. 2024)
enum class PreferenceLossKind { sigmoid, hinge, ipo, robust };

/// What a preference loss leaves open.
struct PreferenceLossForm {
  PreferenceLossKind kind = PreferenceLossKind::sigmoid;
  float beta = 0.1f;
  float label_smoothing = 0;  ///< e: the share of labels that are flipped
  float gamma = 0;            ///< by how much the chosen completion is to win
};

/// Two completions of a prompt. All (count); no reference: both of its pointers null.
/// REQUIRES: beta > 0; label_smoothing < 1/2 when robust.
template <class T>
struct PreferenceLossForward {
  T* loss;
  const T* chosen;
  const T* rejected;
  const T* ref_chosen = nullptr;
  const T* ref_rejected = nullptr;
  int64_t count;
  PreferenceLossForm form;

  void visit(auto&& v) const {
    v.in("chosen", chosen, count);
    v.in("rejected", rejected, count);
    v.in("ref_chosen", ref_chosen, count);
    v.in("ref_rejected", ref_rejected, count);
    v.out("loss", loss, count);
  }
  double flops() const { return 12.0 * double(count); }
};

/// d_rejected = -d_chosen: what teaches is the difference alone.
template <class T>
struct PreferenceLossBackward {
  GradientOut<T> d_chosen;
  GradientOut<T> d_rejected;
  const T* d_loss;
  const T* chosen;
  const T* rejected;
  const T* ref_chosen = nullptr;
  const T* ref_rejected = nullptr;
  int64_t count;
  PreferenceLossForm form;

  void visit(auto&& v) const {
    v.in("d_loss", d_loss, count);
    v.in("chosen", chosen, count);
    v.in("rejected", rejected, count);
    v.in("ref_chosen", ref_chosen, count);
    v.in("ref_rejected", ref_rejected, count);
    v.out("d_chosen", d_chosen.data, count, d_chosen.accumulate);
    v.out("d_rejected", d_rejected.data, count, d_rejected.accumulate);
  }
  double flops() const { return 12.0 * double(count); }
};

/// The largest mean log-probability that has odds: p / (1 - p) of p = 1 has no number.
inline constexpr float most_log_prob_with_odds = -1e-6f;

/// loss = -log sigmoid(log odds(chosen) - log odds(rejected)), odds(p) = p / (1 - p), p = exp of
/// the mean log-probability a token (Hong et al. 2024, equations 4 and 7), which counts as at most
/// most_log_prob_with_odds. All (count).
template <class T>
struct OddsRatioLossForward {
  T* loss;
  const T* chosen;
  const T* rejected;
  int64_t count;

  void visit(auto&& v) const {
    v.in("chosen", chosen, count);
    v.in("rejected", rejected, count);
    v.out("loss", loss, count);
  }
  double flops() const { return 16.0 * double(count); }
};

/// d log odds / d log p = 1 / (1 - p), also where p was too large for odds.
template <class T>
struct OddsRatioLossBackward {
  GradientOut<T> d_chosen;
  GradientOut<T> d_rejected;
  const T* d_loss;
  const T* chosen;
  const T* rejected;
  int64_t count;

  void visit(auto&& v) const {
    v.in("d_loss", d_loss, count);
    v.in("chosen", chosen, count);
    v.in("rejected", rejected, count);
    v.out("d_chosen", d_chosen.data, count, d_chosen.accumulate);
    v.out("d_rejected", d_rejected.data, count, d_rejected.accumulate);
  }
  double flops() const { return 16.0 * double(count); }
};

/// One completion that was judged by itself (Ethayarajh et al. 2024, equation 8):
///   desirable (label 1):   desirable_weight   (1 - sigmoid(beta (log_prob - ref - kl)))
///   undesirable (label 0): undesirable_weight (1 - sigmoid(beta (kl - (log_prob - ref))))
/// All (count), but kl (1), the point that gains and losses are seen from: a constant.
template <class T>
struct ProspectLossForward {
  T* loss;
  const T* log_prob;
  const T* ref;
  const T* label;
  const T* kl;
  int64_t count;
  float beta;
  float desirable_weight = 1, undesirable_weight = 1;

  void visit(auto&& v) const {
    v.in("log_prob", log_prob, count);
    v.in("ref", ref, count);
    v.in("label", label, count);
    v.in("kl", kl, 1);
    v.out("loss", loss, count);
  }
  double flops() const { return 10.0 * double(count); }
};

template <class T>
struct ProspectLossBackward {
  GradientOut<T> d_log_prob;
  const T* d_loss;
  const T* log_prob;
  const T* ref;
  const T* label;
  const T* kl;
  int64_t count;
  float beta;
  float desirable_weight = 1, undesirable_weight = 1;

  void visit(auto&& v) const {
    v.in("d_loss", d_loss, count);
    v.in("log_prob", log_prob, count);
    v.in("ref", ref, count);
    v.in("label", label, count);
    v.in("kl", kl, 1);
    v.out("d_log_prob", d_log_prob.data, count, d_log_prob.accumulate);
  }
  double flops() const { return 10.0 * double(count); }
};

template <class T>
void run(Cpu, const PreferenceLossForward<T>&, Stream);
template <class T>
void run(Cuda, const PreferenceLossForward<T>&, Stream);
template <class T>
void run(Cpu, const PreferenceLossBackward<T>&, Stream);
template <class T>
void run(Cuda, const PreferenceLossBackward<T>&, Stream);
template <class T>
void run(Cpu, const OddsRatioLossForward<T>&, Stream);
template <class T>
void run(Cuda, const OddsRatioLossForward<T>&, Stream);
template <class T>
void run(Cpu, const OddsRatioLossBackward<T>&, Stream);
template <class T>
void run(Cuda, const OddsRatioLossBackward<T>&, Stream);
template <class T>
void run(Cpu, const ProspectLossForward<T>&, Stream);
template <class T>
void run(Cuda, const ProspectLossForward<T>&, Stream);
template <class T>
void run(Cpu, const ProspectLossBackward<T>&, Stream);
template <class T>
void run(Cuda, const ProspectLossBackward<T>&, Stream);

}  // namespace rlhf
