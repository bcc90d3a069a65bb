// The norm in two kernels: the sums of blocks, then their sum in the order of the blocks. Squares
// are taken in double, which costs a GPU for training less than the reading does, and cannot
// overflow before a gradient itself overflows.
#include "kernels/gradient_clip.h"

#include <algorithm>

#include "kernels/cuda/support/block.h"
#include "kernels/cuda/support/value_run.h"

namespace rlhf {
namespace {

using namespace gpu;

constexpr int threads = 256;
constexpr int64_t most_blocks = 1024;  // what a large GPU holds at a time

unsigned blocks_of(int64_t count) {
  constexpr int64_t share = 16 * threads;
  return unsigned(std::min<int64_t>(blocks_for(count, share), most_blocks));
}

/// body(x, at) for the values of this thread of the grid.
template <class Body>
__device__ inline void for_each_own(const float* data, int64_t count, const Body& body) {
  for_each_values(data, count, int64_t(blockIdx.x) * blockDim.x + threadIdx.x,
                  int64_t(gridDim.x) * blockDim.x, body);
}

__global__ void square_sum_kernel(const float* gradient, int64_t count, double* of_block) {
  double sum = 0;
  for_each_own(gradient, count, [&](const auto& x, int64_t) {
#pragma unroll
    for (int i = 0; i < size_of(x); i++) sum = fma(double(x[i]), double(x[i]), sum);
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) of_block[blockIdx.x] = sum;
}

__global__ void norm_kernel(const double* of_block, int blocks, float max_norm, float* norm,
                            float* scale) {
  double sum = 0;
  for (int block = int(threadIdx.x); block < blocks; block += int(blockDim.x)) {
    sum += of_block[block];
  }
  const double length = sqrt(block_sum(sum)), limit = double(max_norm) / (length + 1e-6);
  if (threadIdx.x != 0) return;
  *norm = float(length);
  // A NaN norm gives a NaN scale: hiding it would only move the failure.
  *scale = float(max_norm == 0 || limit > 1 ? 1 : limit);
}

__global__ void clip_value_kernel(GradientClipValue<float> c) {
  for_each_own(c.gradient, c.count, [&](auto x, int64_t at) {
#pragma unroll
    for (int i = 0; i < size_of(x); i++) {
      // Not fminf and fmaxf, which would make a NaN a number.
      x[i] = x[i] < -c.limit ? -c.limit : x[i] > c.limit ? c.limit : x[i];
    }
    store(c.gradient + at, x);
  });
}

}  // namespace

template <class T>
void run(Cuda, const GradientNorm<T>& c, Stream stream) {
  const unsigned blocks = blocks_of(c.count);
  double* const of_block = scratch<double>(std::max(blocks, 1u), stream);
  if (blocks > 0) {
    launch({"gradient_norm_sums", blocks, threads, stream}, square_sum_kernel, c.gradient, c.count,
           of_block);
  }
  launch({"gradient_norm", 1, threads, stream}, norm_kernel, of_block, int(blocks), c.max_norm,
         c.norm, c.scale);
}

template <class T>
void run(Cuda, const GradientClipValue<T>& c, Stream stream) {
  if (c.count == 0) return;
  launch({"gradient_clip_value", blocks_of(c.count), threads, stream}, clip_value_kernel, c);
}

template void run(Cuda, const GradientNorm<float>&, Stream);
template void run(Cuda, const GradientClipValue<float>&, Stream);

}  // namespace rlhf
