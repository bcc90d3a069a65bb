// Sums on the GPU. A column's rows are shared out among blocks by the sizes alone, and their
// partial sums are added in order by a second kernel: the same bits every time.
#include "kernels/reduce.h"

#include "kernels/cuda/support/columns.h"
#include "kernels/cuda/support/pointwise.h"

namespace rlhf {
namespace {

constexpr int warps = 8;

/// A block sums rows [rows_each * y, ...) of the 32 * n columns from 32 * n * x on; its warps take
/// turns with the rows.
template <class T, int n>
__global__ void column_sum_kernel(GradientOut<float> out, const T* in, int64_t rows, int64_t C,
                                  int64_t rows_each) {
  constexpr int width = gpu::warp_size * n;
  __shared__ float of_warp[warps][width];
  const int64_t first = int64_t(blockIdx.x) * width;
  const int64_t column = first + gpu::lane() * n;
  const int64_t begin = blockIdx.y * rows_each;
  const int64_t end = begin + rows_each < rows ? begin + rows_each : rows;
  gpu::Values<n> sum = {};
  if (column < C) {
#pragma unroll 4
    for (int64_t row = begin + gpu::warp(); row < end; row += warps) {
      const gpu::Values<n> x = gpu::load<n>(in + row * C + column);
#pragma unroll
      for (int i = 0; i < n; i++) sum[i] += x[i];
    }
  }
#pragma unroll
  for (int i = 0; i < n; i++) of_warp[gpu::warp()][gpu::lane() * n + i] = sum[i];
  __syncthreads();
  for (int i = int(threadIdx.x); i < width; i += int(blockDim.x)) {
    float total = 0;
#pragma unroll
    for (int w = 0; w < warps; w++) total += of_warp[w][i];
    if (first + i < C) {
      gpu::put<1>(out.data + blockIdx.y * C + first + i, out.accumulate, {total});
    }
  }
}

__global__ void weighted_sum_kernel(float* out, const float* in, const float* weight,
                                    int64_t count) {
  float sum = 0;
#pragma unroll 8
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) sum = fmaf(weight[i], in[i], sum);
  sum = gpu::block_sum(sum);
  if (threadIdx.x == 0) *out = sum;
}

struct TimesScalar {
  const float* scalar;
  __device__ float operator()(float x) const { return x * *scalar; }
};

}  // namespace

template <class T>
void run(Cuda, const ColumnSum<T>& s, Stream stream) {
  if (!s.out) return;
  const auto go = [&](auto n) {
    constexpr int64_t fewest_rows = 8 * warps, enough_blocks = 1024;
    const int64_t strips = (s.C + gpu::warp_size * n - 1) / (gpu::warp_size * n);
    const int64_t wanted = std::max<int64_t>(1, enough_blocks / strips);
    const int64_t rows_each = std::max(fewest_rows, (s.rows + wanted - 1) / wanted);
    const int64_t parts = std::max<int64_t>(1, (s.rows + rows_each - 1) / rows_each);
    const GradientOut<float> partial =
        parts == 1 ? s.out : GradientOut<float>{gpu::scratch<float>(parts * s.C, stream)};
    gpu::launch({"column_sum", {unsigned(strips), unsigned(parts)}, warps * gpu::warp_size, stream},
                column_sum_kernel<T, n>, partial, s.in, s.rows, s.C, rows_each);
    if (parts > 1) {
      gpu::column_totals<1>({{s.out}, partial.data, parts, s.C}, stream);
    }
  };
  gpu::with_width<gpu::pack_width<T>>(s.C, go, s.in);
}

/// One block: what is summed is one number per row or token of a batch.
template <class T>
void run(Cuda, const WeightedSumForward<T>& s, Stream stream) {
  gpu::launch({"weighted_sum_forward", 1, 1024, stream}, weighted_sum_kernel, s.out, s.in, s.weight,
              s.count);
}

template <class T>
void run(Cuda, const WeightedSumBackward<T>& s, Stream stream) {
  gpu::pointwise("weighted_sum_backward", stream, s.d_in, s.count, TimesScalar{s.d_out}, s.weight);
}

template void run(Cuda, const ColumnSum<float>&, Stream);
template void run(Cuda, const ColumnSum<bf16>&, Stream);
template void run(Cuda, const WeightedSumForward<float>&, Stream);
template void run(Cuda, const WeightedSumBackward<float>&, Stream);

}  // namespace rlhf
