// Losses that teach a scalar: a reward from what people said, which of two they prefer, yes or no,
// or a score; an action's value from what it turned out to be.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// The Bradley-Terry loss of a pair (Bradley and Terry 1952; Stiennon et al. 2020, equation 1),
/// with a margin (Touvron et al. 2023, equation 2) and a pull of the pair's mean to zero
/// (Eisenstein et al. 2023): loss = -log sigmoid(chosen - rejected - margin) + centering (chosen +
/// rejected)^2. All (count); margin null: 0.
template <class T>
struct PairwiseLossForward {
  T* loss;
  const T* chosen;
  const T* rejected;
  const T* margin = nullptr;
  int64_t count;
  float centering = 0;

  void visit(auto&& v) const {
    v.in("chosen", chosen, count);
    v.in("rejected", rejected, count);
    v.in("margin", margin, count);
    v.out("loss", loss, count);
  }
  double flops() const { return 8.0 * double(count); }
};

template <class T>
struct PairwiseLossBackward {
  GradientOut<T> d_chosen;
  GradientOut<T> d_rejected;
  const T* d_loss;
  const T* chosen;
  const T* rejected;
  const T* margin = nullptr;
  int64_t count;
  float centering = 0;

  void visit(auto&& v) const {
    v.in("d_loss", d_loss, count);
    v.in("chosen", chosen, count);
    v.in("rejected", rejected, count);
    v.in("margin", margin, count);
    v.out("d_chosen", d_chosen.data, count, d_chosen.accumulate);
    v.out("d_rejected", d_rejected.data, count, d_rejected.accumulate);
  }
  double flops() const { return 8.0 * double(count); }
};

/// bce: loss = log(1 + exp(x)) - label x, the cross-entropy of a label in [0, 1] and sigmoid(x);
/// mse: loss = 1/2 (x - label)^2; huber: the same where |x - label| <= 1, else |x - label| - 1/2,
/// so that no example pulls with more than 1 (Huber 1964; Mnih et al. 2015, "error clipping").
enum class PointwiseKind { bce, mse, huber };

/// One reward per example against its label. All (count).
template <class T>
struct PointwiseLossForward {
  T* loss;
  const T* reward;
  const T* label;
  int64_t count;
  PointwiseKind kind = PointwiseKind::bce;

  void visit(auto&& v) const {
    v.in("reward", reward, count);
    v.in("label", label, count);
    v.out("loss", loss, count);
  }
  double flops() const { return 6.0 * double(count); }
};

template <class T>
struct PointwiseLossBackward {
  GradientOut<T> d_reward;
  const T* d_loss;
  const T* reward;
  const T* label;
  int64_t count;
  PointwiseKind kind = PointwiseKind::bce;

  void visit(auto&& v) const {
    v.in("d_loss", d_loss, count);
    v.in("reward", reward, count);
    v.in("label", label, count);
    v.out("d_reward", d_reward.data, count, d_reward.accumulate);
  }
  double flops() const { return 6.0 * double(count); }
};

template <class T>
void run(Cpu, const PairwiseLossForward<T>&, Stream);
template <class T>
void run(Cuda, const PairwiseLossForward<T>&, Stream);
template <class T>
void run(Cpu, const PairwiseLossBackward<T>&, Stream);
template <class T>
void run(Cuda, const PairwiseLossBackward<T>&, Stream);
template <class T>
void run(Cpu, const PointwiseLossForward<T>&, Stream);
template <class T>
void run(Cuda, const PointwiseLossForward<T>&, Stream);
template <class T>
void run(Cpu, const PointwiseLossBackward<T>&, Stream);
template <class T>
void run(Cuda, const PointwiseLossBackward<T>&, Stream);

}  // namespace rlhf
