// Activations on the GPU, element by element.
#include "kernels/activation.h"

#include "kernels/cuda/support/pointwise.h"

namespace rlhf {
namespace {

struct Tanh {
  __device__ float operator()(float x) const { return tanhf(x); }
};

struct TanhGradient {
  __device__ float operator()(float d_out, float out) const {
    return d_out * fmaf(-out, out, 1.0f);
  }
};

struct Relu {
  __device__ float operator()(float x) const { return x < 0 ? 0.0f : x; }
};

struct ReluGradient {
  __device__ float operator()(float d_out, float out) const { return out > 0 ? d_out : 0.0f; }
};

}  // namespace

template <class T>
void run(Cuda, const ActivationForward<T>& c, Stream stream) {
  const auto go = [&](const auto& functor) {
    gpu::pointwise("activation_forward", stream, GradientOut<T>{c.out}, c.count, functor, c.in);
  };
  c.kind == ActivationKind::tanh ? go(Tanh{}) : go(Relu{});
}

template <class T>
void run(Cuda, const ActivationBackward<T>& c, Stream stream) {
  const auto go = [&](const auto& functor) {
    gpu::pointwise("activation_backward", stream, c.d_in, c.count, functor, c.d_out, c.out);
  };
  c.kind == ActivationKind::tanh ? go(TanhGradient{}) : go(ReluGradient{});
}

template void run(Cuda, const ActivationForward<float>&, Stream);
template void run(Cuda, const ActivationForward<bf16>&, Stream);
template void run(Cuda, const ActivationBackward<float>&, Stream);
template void run(Cuda, const ActivationBackward<bf16>&, Stream);

}  // namespace rlhf
