// Element-by-element sums on the GPU.
#include "kernels/add.h"

#include "kernels/cuda/support/pointwise.h"

namespace rlhf {
namespace {

struct AddScaledTo {
  float scale;
  __device__ float operator()(float a, float b) const { return fmaf(scale, b, a); }
};

struct Scale {
  float scale;
  __device__ float operator()(float x) const { return scale * x; }
};

}  // namespace

template <class T>
void run(Cuda, const AddScaled<T>& add, Stream stream) {
  gpu::pointwise("add_scaled", stream, GradientOut<T>{add.out}, add.count, AddScaledTo{add.scale},
                 add.a, add.b);
}

template <class T>
void run(Cuda, const ScaleInto<T>& s, Stream stream) {
  gpu::pointwise("scale_into", stream, s.out, s.count, Scale{s.scale}, s.in);
}

template void run(Cuda, const AddScaled<float>&, Stream);
template void run(Cuda, const AddScaled<bf16>&, Stream);
template void run(Cuda, const ScaleInto<float>&, Stream);
template void run(Cuda, const ScaleInto<bf16>&, Stream);

}  // namespace rlhf
