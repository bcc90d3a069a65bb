// Kernels that go element by element, written as a functor each. A functor maps the floats of one
// element, or, when neighbours share work (random numbers), those of a group of them:
//
//   float operator()(float x, ...) const;
//   template <int n> Values<n> operator()(int64_t first, const Values<n>& x, ...) const;
//
// where n is 1, or a multiple of 4 as `first` is.
#pragma once

#include <type_traits>

#include "kernels/cuda/support/values.h"

namespace rlhf::gpu {

inline constexpr int pointwise_threads = 256;

template <int n, class Functor, class... In>
__device__ inline Values<n> map(const Functor& functor, int64_t first, const In&... in) {
  if constexpr (std::is_invocable_v<Functor, decltype(in[0])...>) {
    Values<n> out;
#pragma unroll
    for (int i = 0; i < n; i++) out[i] = functor(in[i]...);
    return out;
  } else {
    return functor(first, in...);
  }
}

template <int n, class Functor, class Out, class... In>
__global__ void pointwise_kernel(Functor functor, GradientOut<Out> out, int64_t count,
                                 const In*... in) {
  const int64_t stride = int64_t(gridDim.x) * blockDim.x * n;
  for (int64_t i = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) * n; i < count; i += stride) {
    if (i + n <= count) {
      put(out.data + i, out.accumulate, map<n>(functor, i, load<n>(in + i)...));
    } else {
      for (int64_t j = i; j < count; j++) {
        put(out.data + j, out.accumulate, map<1>(functor, j, load<1>(in + j)...));
      }
    }
  }
}

/// out_i = functor(in_i, ...), or out_i += that, for i in [0, count); each `in` may be `out`.
template <class Functor, class Out, class... In>
void pointwise(const char* name, Stream stream, const GradientOut<Out>& out, int64_t count,
               const Functor& functor, const In*... in) {
  if (!out || count == 0) return;
  constexpr int width = pack_width<Out, In...>;
  constexpr int64_t most_blocks = 1 << 14;  // a hundred for every multiprocessor of a large GPU
  const auto go = [&](auto n) {
    const unsigned blocks = blocks_for(count, int64_t(n) * pointwise_threads);
    launch({name, unsigned(std::min<int64_t>(blocks, most_blocks)), pointwise_threads, stream},
           pointwise_kernel<n, Functor, Out, In...>, functor, out, count, in...);
  };
  with_width<width>(0, go, out.data, in...);
}

}  // namespace rlhf::gpu
