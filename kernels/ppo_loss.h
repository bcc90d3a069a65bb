// The two clipped losses of proximal policy optimisation (Schulman et al. 2017, equations 7 and 9),
// token by token; a weighted sum over tokens makes the loss of a batch.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// ratio = exp(log_prob - old_log_prob), the difference held within +- log_ratio_clamp (0: not);
/// loss = max(-advantage * ratio, -advantage * clamp(ratio, 1 - clip, 1 + clip_high)), and with a
/// dual_clip > 1 at most -dual_clip * advantage where the advantage is negative, so that one token
/// whose ratio has grown large cannot own the gradient (Ye et al. 2020, "Mastering Complex Control
/// in MOBA Games", equation 5; 0: off). clip_high above clip leaves unlikely tokens more room to
/// grow (Yu et al. 2025, "DAPO", equation 10; 0: as clip). All (count).
template <class T>
struct PpoPolicyLossForward {
  T* loss;
  const T* log_prob;
  const T* old_log_prob;
  const T* advantage;
  int64_t count;
  float clip;
  float dual_clip = 0;
  float log_ratio_clamp = 0;
  float clip_high = 0;

  void visit(auto&& v) const {
    v.in("log_prob", log_prob, count);
    v.in("old_log_prob", old_log_prob, count);
    v.in("advantage", advantage, count);
    v.out("loss", loss, count);
  }
  double flops() const { return 8.0 * double(count); }
};

/// d_log_prob = -d_loss * advantage * ratio where the unclipped branch is the larger and no other
/// bound holds, 0 elsewhere.
template <class T>
struct PpoPolicyLossBackward {
  GradientOut<T> d_log_prob;
  const T* d_loss;
  const T* log_prob;
  const T* old_log_prob;
  const T* advantage;
  int64_t count;
  float clip;
  float dual_clip = 0;
  float log_ratio_clamp = 0;
  float clip_high = 0;

  void visit(auto&& v) const {
    v.in("d_loss", d_loss, count);
    v.in("log_prob", log_prob, count);
    v.in("old_log_prob", old_log_prob, count);
    v.in("advantage", advantage, count);
    v.out("d_log_prob", d_log_prob.data, count, d_log_prob.accumulate);
  }
  double flops() const { return 8.0 * double(count); }
};

/// loss = 1/2 max((value - target)^2, (clamp(value, old_value - clip, old_value + clip) -
/// target)^2); clip 0 means no clipping. All (count); target is the return.
template <class T>
struct PpoValueLossForward {
  T* loss;
  const T* value;
  const T* old_value;
  const T* target;
  int64_t count;
  float clip;

  void visit(auto&& v) const {
    v.in("value", value, count);
    v.in("old_value", old_value, count);
    v.in("target", target, count);
    v.out("loss", loss, count);
  }
  double flops() const { return 8.0 * double(count); }
};

template <class T>
struct PpoValueLossBackward {
  GradientOut<T> d_value;
  const T* d_loss;
  const T* value;
  const T* old_value;
  const T* target;
  int64_t count;
  float clip;

  void visit(auto&& v) const {
    v.in("d_loss", d_loss, count);
    v.in("value", value, count);
    v.in("old_value", old_value, count);
    v.in("target", target, count);
    v.out("d_value", d_value.data, count, d_value.accumulate);
  }
  double flops() const { return 8.0 * double(count); }
};

template <class T>
void run(Cpu, const PpoPolicyLossForward<T>&, Stream);
template <class T>
void run(Cuda, const PpoPolicyLossForward<T>&, Stream);
template <class T>
void run(Cpu, const PpoPolicyLossBackward<T>&, Stream);
template <class T>
void run(Cuda, const PpoPolicyLossBackward<T>&, Stream);
template <class T>
void run(Cpu, const PpoValueLossForward<T>&, Stream);
template <class T>
void run(Cuda, const PpoValueLossForward<T>&, Stream);
template <class T>
void run(Cpu, const PpoValueLossBackward<T>&, Stream);
template <class T>
void run(Cuda, const PpoValueLossBackward<T>&, Stream);

}  // namespace rlhf
