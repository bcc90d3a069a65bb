// Losses of a scalar reward, one example at a time, in forms that neither overflow nor cancel.
#include "kernels/reward_loss.h"

#include "kernels/cuda/support/logistic.h"
#include "kernels/cuda/support/pointwise.h"

namespace rlhf {
namespace {

using gpu::sigmoid;
using gpu::softplus;

struct PairwiseLoss {
  float centering;
  __device__ float operator()(float chosen, float rejected, float margin = 0) const {
    const float sum = chosen + rejected;
    return softplus(-(chosen - rejected - margin)) + centering * sum * sum;
  }
};

struct PairwiseGradient {
  float centering;
  float side;  ///< 1: by the chosen answer's reward, -1: by the rejected one's
  __device__ float operator()(float d_loss, float chosen, float rejected, float margin = 0) const {
    const float pull = 2 * centering * (chosen + rejected);
    const float push = sigmoid(-(chosen - rejected - margin));
    return d_loss * (pull - side * push);
  }
};

struct PointwiseLoss {
  PointwiseKind kind;
  __device__ float operator()(float reward, float label) const {
    if (kind == PointwiseKind::bce) return softplus(reward) - label * reward;
    const float error = fabsf(reward - label);
    return kind == PointwiseKind::huber && error > 1 ? error - 0.5f : error * error / 2;
  }
};

struct PointwiseGradient {
  PointwiseKind kind;
  __device__ float operator()(float d_loss, float reward, float label) const {
    if (kind == PointwiseKind::bce) return d_loss * (sigmoid(reward) - label);
    const float error = reward - label;
    return d_loss * (kind == PointwiseKind::huber ? fminf(fmaxf(error, -1), 1) : error);
  }
};

}  // namespace

template <class T>
void run(Cuda, const PairwiseLossForward<T>& c, Stream stream) {
  const auto go = [&](const auto*... margin) {
    gpu::pointwise("pairwise_loss", stream, GradientOut<T>{c.loss}, c.count,
                   PairwiseLoss{c.centering}, c.chosen, c.rejected, margin...);
  };
  c.margin ? go(c.margin) : go();
}

template <class T>
void run(Cuda, const PairwiseLossBackward<T>& c, Stream stream) {
  const auto go = [&](const GradientOut<T>& out, float side, const auto*... margin) {
    gpu::pointwise("pairwise_loss_backward", stream, out, c.count,
                   PairwiseGradient{c.centering, side}, c.d_loss, c.chosen, c.rejected, margin...);
  };
  c.margin ? go(c.d_chosen, 1, c.margin) : go(c.d_chosen, 1);
  c.margin ? go(c.d_rejected, -1, c.margin) : go(c.d_rejected, -1);
}

template <class T>
void run(Cuda, const PointwiseLossForward<T>& c, Stream stream) {
  gpu::pointwise("pointwise_loss", stream, GradientOut<T>{c.loss}, c.count, PointwiseLoss{c.kind},
                 c.reward, c.label);
}

template <class T>
void run(Cuda, const PointwiseLossBackward<T>& c, Stream stream) {
  gpu::pointwise("pointwise_loss_backward", stream, c.d_reward, c.count, PointwiseGradient{c.kind},
                 c.d_loss, c.reward, c.label);
}

template void run(Cuda, const PairwiseLossForward<float>&, Stream);
template void run(Cuda, const PairwiseLossBackward<float>&, Stream);
template void run(Cuda, const PointwiseLossForward<float>&, Stream);
template void run(Cuda, const PointwiseLossBackward<float>&, Stream);

}  // namespace rlhf
