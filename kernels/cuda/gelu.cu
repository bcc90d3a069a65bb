// GELU on the GPU, element by element; the formula is in support/gelu_math.h.
#include "kernels/gelu.h"

#include "kernels/cuda/support/gelu_math.h"
#include "kernels/cuda/support/pointwise.h"

namespace rlhf {
namespace {

struct Gelu {
  __device__ float operator()(float x) const { return gpu::gelu(x); }
};

struct GeluGradient {
  __device__ float operator()(float d_out, float x) const {
    return d_out * gpu::gelu_derivative(x);
  }
};

}  // namespace

template <class T>
void run(Cuda, const GeluForward<T>& g, Stream stream) {
  gpu::pointwise("gelu_forward", stream, GradientOut<T>{g.out}, g.count, Gelu{}, g.in);
}

template <class T>
void run(Cuda, const GeluBackward<T>& g, Stream stream) {
  gpu::pointwise("gelu_backward", stream, g.d_in, g.count, GeluGradient{}, g.d_out, g.in);
}

template void run(Cuda, const GeluForward<float>&, Stream);
template void run(Cuda, const GeluForward<bf16>&, Stream);
template void run(Cuda, const GeluBackward<float>&, Stream);
template void run(Cuda, const GeluBackward<bf16>&, Stream);

}  // namespace rlhf
