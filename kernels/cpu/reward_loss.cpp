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
  cpu::for_each_element(c, [&](int64_t i) {
    const T x = c.reward[i], error = x - c.label[i];
    c.loss[i] = c.kind == PointwiseKind::bce ? softplus(x) - c.label[i] * x : error * error / 2;
  });
}

template <class T>
void run(Cpu, const PointwiseLossBackward<T>& c, Stream) {
  cpu::for_each_element(c, [&](int64_t i) {
    const T x = c.reward[i], guess = c.kind == PointwiseKind::bce ? sigmoid(x) : x;
    cpu::put(c.d_reward, i, c.d_loss[i] * (guess - c.label[i]));
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
