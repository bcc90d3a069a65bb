// Losses of a scalar reward, one example at a time, in forms that neither overflow nor cancel.
#include "kernels/reward_loss.h"

#include "kernels/cpu/support/logistic.h"
#include "kernels/cpu/support/pointwise.h"

namespace rlhf {
namespace {

using cpu::sigmoid;
using cpu::softplus;

/// By how much the chosen answer wins.
template <class T>
T lead(const auto& c, int64_t i) {
  return c.chosen[i] - c.rejected[i] - (c.margin ? c.margin[i] : T(0));
}

template <class T>
T pointwise_loss(PointwiseKind kind, T x, T label) {
  if (kind == PointwiseKind::bce) return softplus(x) - label * x;
  const T error = std::abs(x - label);
  if (kind == PointwiseKind::huber && error > 1) return error - T(0.5);
  return error * error / 2;
}

/// Its derivative by x.
template <class T>
T pointwise_slope(PointwiseKind kind, T x, T label) {
  if (kind == PointwiseKind::bce) return sigmoid(x) - label;
  return kind == PointwiseKind::huber ? std::clamp(x - label, T(-1), T(1)) : x - label;
}

}  // namespace

template <class T>
void run(Cpu, const PairwiseLossForward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const T sum = c.chosen[i] + c.rejected[i];
    c.loss[i] = softplus(-lead<T>(c, i)) + T(c.centering) * sum * sum;
  });
}

template <class T>
void run(Cpu, const PairwiseLossBackward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const T pull = 2 * T(c.centering) * (c.chosen[i] + c.rejected[i]);
    const T push = sigmoid(-lead<T>(c, i));
    cpu::put(c.d_chosen, i, c.d_loss[i] * (pull - push));
    cpu::put(c.d_rejected, i, c.d_loss[i] * (pull + push));
  });
}

template <class T>
void run(Cpu, const PointwiseLossForward<T>& c, Stream) {
  cpu::for_each_element(
      c, [&](int64_t i) { c.loss[i] = pointwise_loss(c.kind, c.reward[i], c.label[i]); });
}

template <class T>
void run(Cpu, const PointwiseLossBackward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    cpu::put(c.d_reward, i, c.d_loss[i] * pointwise_slope(c.kind, c.reward[i], c.label[i]));
  });
}

template void run(Cpu, const PairwiseLossForward<float>&, Stream);
template void run(Cpu, const PairwiseLossForward<double>&, Stream);
template void run(Cpu, const PairwiseLossBackward<float>&, Stream);
template void run(Cpu, const PairwiseLossBackward<double>&, Stream);
template void run(Cpu, const PointwiseLossForward<float>&, Stream);
template void run(Cpu, const PointwiseLossForward<double>&, Stream);
template void run(Cpu, const PointwiseLossBackward<float>&, Stream);
template void run(Cpu, const PointwiseLossBackward<double>&, Stream);

}  // namespace rlhf
