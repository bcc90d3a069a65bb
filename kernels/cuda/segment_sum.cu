// Sums of stretches on the GPU: a block a stretch.
#include "kernels/segment_sum.h"

#include "kernels/cuda/support/block.h"

namespace rlhf {
namespace {

constexpr unsigned threads = 128;

/// What every element of stretch s counts in its result.
template <class Contract>
__device__ inline float share(const Contract& c, int64_t s) {
  const int count = c.end[s] - c.begin[s];
  return c.mean && count > 1 ? 1.0f / float(count) : 1.0f;
}

__global__ void forward_kernel(SegmentSumForward<float> c) {
  const int64_t s = blockIdx.x;
  float sum = 0;
  for (int64_t n = c.begin[s] + threadIdx.x; n < c.end[s]; n += blockDim.x) sum += c.in[n];
  sum = gpu::block_sum(sum);
  if (threadIdx.x == 0) c.out[s] = sum * share(c, s);
}

/// Stretch s also clears what lies between it and the one before, the last one what follows.
__global__ void backward_kernel(SegmentSumBackward<float> c) {
  const int64_t s = blockIdx.x;
  const int64_t begin = c.begin[s], end = c.end[s];
  const int64_t first = s == 0 ? 0 : c.end[s - 1], last = s + 1 == c.S ? c.N : end;
  const float each = c.d_out[s] * share(c, s);
  for (int64_t n = first + threadIdx.x; n < last; n += blockDim.x) {
    const float value = n >= begin && n < end ? each : 0.0f;
    c.d_in.data[n] = c.d_in.accumulate ? c.d_in.data[n] + value : value;
  }
}

}  // namespace

template <class T>
void run(Cuda, const SegmentSumForward<T>& c, Stream stream) {
  gpu::launch({"segment_sum_forward", unsigned(c.S), threads, stream}, forward_kernel, c);
}

template <class T>
void run(Cuda, const SegmentSumBackward<T>& c, Stream stream) {
  if (!c.d_in) return;
  gpu::launch({"segment_sum_backward", unsigned(c.S), threads, stream}, backward_kernel, c);
}

template void run(Cuda, const SegmentSumForward<float>&, Stream);
template void run(Cuda, const SegmentSumBackward<float>&, Stream);

}  // namespace rlhf
