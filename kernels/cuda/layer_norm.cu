// Layer normalisation on the GPU, a block a row. The row stays in registers between the passes over
// it, so that memory is read once; rows too long for that are read again. Backward, a block goes
// over many rows and keeps its columns' sums for d_weight and d_bias, which a second kernel adds.
#include "kernels/layer_norm.h"

#include "kernels/cuda/support/columns.h"

namespace rlhf {
namespace {

using gpu::for_columns;
using gpu::Raw;
using gpu::Values;

/// What a thread keeps of a row, and how many threads have registers enough for that.
struct Shape {
  int columns, threads;
};
constexpr Shape forward_shape{32, 256};
constexpr Shape backward_shape{16, 512};  // it keeps three numbers a column and two sums

template <class T, int n, int steps>
__global__ void __launch_bounds__(forward_shape.threads) forward_kernel(LayerNormForward<T> norm) {
  constexpr int held = steps > 0 ? steps : 1;
  const int64_t C = norm.C, row = blockIdx.x, start = row * C;
  Values<n> x[held];
  float total = 0;
  const auto sum_up = [&](int step) {
#pragma unroll
    for (int i = 0; i < n; i++) total += x[step][i];
  };
  if (norm.added) {
    Raw<T, n> in[held], added[held];
    const auto fetch = [&](int step, int64_t at) {
      in[step] = Raw<T, n>::fetch(norm.in + start + at);
      added[step] = Raw<T, n>::fetch(norm.added + start + at);
    };
    if constexpr (steps > 0) for_columns<n, steps>(C, fetch);
    for_columns<n, steps>(C, [&](int step, int64_t at) {
      if constexpr (steps == 0) fetch(step, at);
      const Values<n> a = in[step], b = added[step];
#pragma unroll
      for (int i = 0; i < n; i++) x[step][i] = a[i] + b[i];
      store(norm.sum + start + at, x[step]);
      x[step] = gpu::rounded<T>(x[step]);
      sum_up(step);
    });
  } else {
    Raw<T, n> in[held];
    const auto fetch = [&](int step, int64_t at) {
      in[step] = Raw<T, n>::fetch(norm.in + start + at);
    };
    if constexpr (steps > 0) for_columns<n, steps>(C, fetch);
    for_columns<n, steps>(C, [&](int step, int64_t at) {
      if constexpr (steps == 0) fetch(step, at);
      x[step] = in[step];
      sum_up(step);
    });
  }
  const T* const source = (norm.added ? norm.sum : norm.in) + start;
  const auto read_again = [&](int step, int64_t at) {
    if constexpr (steps == 0) x[step] = gpu::load<n>(source + at);
  };
  const float mean = gpu::block_sum(total) / float(C);
  float squares = 0;
  for_columns<n, steps>(C, [&](int step, int64_t at) {
    read_again(step, at);
#pragma unroll
    for (int i = 0; i < n; i++) squares = fmaf(x[step][i] - mean, x[step][i] - mean, squares);
  });
  const float rstd = 1.0f / sqrtf(gpu::block_sum(squares) / float(C) + norm.eps);
  for_columns<n, steps>(C, [&](int step, int64_t at) {
    read_again(step, at);
    const Values<n> weight = gpu::load<n>(norm.weight + at), bias = gpu::load<n>(norm.bias + at);
    Values<n> out;
#pragma unroll
    for (int i = 0; i < n; i++) out[i] = fmaf((x[step][i] - mean) * rstd, weight[i], bias[i]);
    store(norm.out + start + at, out);
  });
  if (threadIdx.x == 0) {
    norm.mean[row] = mean;
    norm.rstd[row] = rstd;
  }
}

/// Two sums at a time cost one pair of barriers.
struct Sums {
  float g, gn;
};
__device__ Sums block_sums(Sums sums) {
  return gpu::block_reduce(sums, Sums{0, 0}, [](Sums s) {
    return Sums{gpu::warp_sum(s.g), gpu::warp_sum(s.gn)};
  });
}

/// `partial` (blocks, 2, C) receives each block's share of d_weight and d_bias; null: nobody wants
/// them.
template <class T, int n, int steps>
__global__ void __launch_bounds__(backward_shape.threads)
    backward_kernel(LayerNormBackward<T> norm, float* partial) {
  constexpr int held = steps > 0 ? steps : 1;
  const int64_t C = norm.C;
  float* const to_weight = partial + int64_t(blockIdx.x) * 2 * C;
  float* const to_bias = to_weight + C;
  Values<n> d_weight[held] = {}, d_bias[held] = {};
  if constexpr (steps == 0) {  // no room for the sums but in memory, which only this thread touches
    if (partial) {
      for_columns<n, 0>(C, [&](int, int64_t at) {
        store(to_weight + at, d_weight[0]);
        store(to_bias + at, d_bias[0]);
      });
    }
  }
  for (int64_t row = blockIdx.x; row < norm.rows; row += gridDim.x) {
    const float mean = norm.mean[row], rstd = norm.rstd[row];
    Raw<T, n> in[held] = {}, d_out[held] = {}, before[held] = {};
    const auto fetch = [&](int step, int64_t at) {
      in[step] = Raw<T, n>::fetch(norm.in + row * C + at);
      d_out[step] = Raw<T, n>::fetch(norm.d_out + row * C + at);
      if (norm.d_in.accumulate) before[step] = Raw<T, n>::fetch(norm.d_in.data + row * C + at);
    };
    if constexpr (steps > 0) for_columns<n, steps>(C, fetch);
    Sums sums{0, 0};
    for_columns<n, steps>(C, [&](int step, int64_t at) {
      if constexpr (steps == 0) {
        fetch(step, at);
        if (partial)
          d_weight[0] = gpu::load<n>(to_weight + at), d_bias[0] = gpu::load<n>(to_bias + at);
      }
      const Values<n> weight = gpu::load<n>(norm.weight + at), x = in[step], d = d_out[step];
#pragma unroll
      for (int i = 0; i < n; i++) {
        const float normal = (x[i] - mean) * rstd, g = d[i] * weight[i];
        sums.g += g;
        sums.gn = fmaf(g, normal, sums.gn);
        d_weight[step][i] = fmaf(d[i], normal, d_weight[step][i]);
        d_bias[step][i] += d[i];
      }
      if constexpr (steps == 0) {
        if (partial) store(to_weight + at, d_weight[0]), store(to_bias + at, d_bias[0]);
      }
    });
    sums = block_sums(sums);
    const float mean_g = sums.g / float(C), mean_gn = sums.gn / float(C);
    if (norm.d_in) {
      for_columns<n, steps>(C, [&](int step, int64_t at) {
        if constexpr (steps == 0) fetch(step, at);
        const Values<n> weight = gpu::load<n>(norm.weight + at), x = in[step], d = d_out[step];
        Values<n> d_in;
#pragma unroll
        for (int i = 0; i < n; i++) {
          const float normal = (x[i] - mean) * rstd;
          d_in[i] = rstd * (d[i] * weight[i] - mean_g - normal * mean_gn);
        }
        if (norm.d_in.accumulate) {
          const Values<n> old = before[step];
#pragma unroll
          for (int i = 0; i < n; i++) d_in[i] += old[i];
        }
        store(norm.d_in.data + row * C + at, d_in);
      });
    }
  }
  if constexpr (steps > 0) {
    if (partial) {
      for_columns<n, steps>(C, [&](int step, int64_t at) {
        store(to_weight + at, d_weight[step]);
        store(to_bias + at, d_bias[step]);
      });
    }
  }
}

/// body(n, steps, threads): how many columns a thread takes at a time and how often. One at a time
/// they cost an address each; then there are fewer.
template <class T, Shape shape, class Body, class... Pointer>
void with_shape(int64_t C, const Body& body, const Pointer*... pointers) {
  const auto with_n = [&](auto n) {
    constexpr int columns = n == 1 ? shape.columns / 4 : shape.columns;
    const unsigned threads = gpu::threads_for_columns(C, columns, shape.threads);
    if (C <= int64_t(columns) * shape.threads) {
      body(n, std::integral_constant<int, columns / n>{}, threads);
    } else {
      body(n, std::integral_constant<int, 0>{}, threads);
    }
  };
  gpu::with_width<gpu::pack_width<T>>(C, with_n, pointers...);
}

}  // namespace

template <class T>
void run(Cuda, const LayerNormForward<T>& n, Stream stream) {
  if (n.rows == 0) return;
  const auto go = [&](auto width, auto steps, unsigned threads) {
    gpu::launch({"layer_norm_forward", unsigned(n.rows), threads, stream},
                forward_kernel<T, width, steps>, n);
  };
  with_shape<T, forward_shape>(n.C, go, n.out, n.in, n.weight, n.bias, n.added, n.sum);
}

template <class T>
void run(Cuda, const LayerNormBackward<T>& n, Stream stream) {
  constexpr int64_t enough_blocks = 1056;
  const int64_t blocks = std::min(n.rows, enough_blocks);
  float* const partial =
      n.d_weight || n.d_bias ? gpu::scratch<float>(blocks * 2 * n.C, stream) : nullptr;
  const auto go = [&](auto width, auto steps, unsigned threads) {
    gpu::launch({"layer_norm_backward", unsigned(blocks), threads, stream},
                backward_kernel<T, width, steps>, n, partial);
  };
  if (blocks > 0) with_shape<T, backward_shape>(n.C, go, n.d_in.data, n.d_out, n.in, n.weight);
  if (partial) gpu::column_totals<2>({{n.d_weight, n.d_bias}, partial, blocks, n.C}, stream);
}

template void run(Cuda, const LayerNormForward<float>&, Stream);
template void run(Cuda, const LayerNormForward<bf16>&, Stream);
template void run(Cuda, const LayerNormBackward<float>&, Stream);
template void run(Cuda, const LayerNormBackward<bf16>&, Stream);

}  // namespace rlhf
