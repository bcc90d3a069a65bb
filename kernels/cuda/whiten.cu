// Whitening in three kernels: the sums of blocks for the mean, those for the variance, and the
// result. Each block adds the few sums that the kernel before it left, in their order and in
// double, as on the CPU.
#include "kernels/whiten.h"

#include <algorithm>

#include "kernels/cuda/support/block.h"

namespace rlhf {
namespace {

using namespace gpu;

constexpr int threads = 256;
constexpr int64_t most_blocks = 128;

/// What one block adds up.
struct Sums {
  double entries, values, squares;
};

/// The sum of one field over all blocks; the same bits in every thread.
__device__ inline double total(const Sums* of_block, double Sums::*field) {
  double sum = 0;
  for (unsigned block = threadIdx.x; block < gridDim.x; block += blockDim.x) {
    sum += of_block[block].*field;
  }
  return block_sum(sum);
}

__device__ inline double mean_of(const Sums* of_block) {
  const double entries = total(of_block, &Sums::entries), sum = total(of_block, &Sums::values);
  return entries > 0 ? sum / entries : 0;
}

/// body(i) for the elements of this thread.
template <class Body>
__device__ inline void for_each_own(int64_t count, const Body& body) {
  const int64_t stride = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) body(i);
}

__global__ void whiten_sum_kernel(Whiten<float> c, Sums* of_block) {
  double entries = 0, sum = 0;
  for_each_own(c.count, [&](int64_t i) {
    if (c.mask[i] == 0) return;
    entries++;
    sum += double(c.in[i]);
  });
  entries = block_sum(entries);
  sum = block_sum(sum);
  if (threadIdx.x == 0) of_block[blockIdx.x] = {entries, sum, 0};
}

__global__ void whiten_square_kernel(Whiten<float> c, Sums* of_block) {
  const double mean = mean_of(of_block);
  double squares = 0;
  for_each_own(c.count, [&](int64_t i) {
    const double difference = c.mask[i] == 0 ? 0 : double(c.in[i]) - mean;
    squares += difference * difference;
  });
  squares = block_sum(squares);
  if (threadIdx.x == 0) of_block[blockIdx.x].squares = squares;
}

__global__ void whiten_kernel(Whiten<float> c, const Sums* of_block) {
  const double mean = mean_of(of_block), entries = total(of_block, &Sums::entries);
  const double squares = total(of_block, &Sums::squares);
  const double variance = entries > 0 ? squares / entries : 0;
  const double inverse = 1 / sqrt(variance + 1e-8);
  const double shift = c.shift_mean ? 0 : mean;
  for_each_own(c.count, [&](int64_t i) {
    const double centred = double(c.in[i]) - mean;
    c.out[i] = c.mask[i] == 0 ? 0 : float(centred * inverse + shift);
  });
}

}  // namespace

template <class T>
void run(Cuda, const Whiten<T>& c, Stream stream) {
  if (c.count == 0) return;
  constexpr int64_t share = 4 * threads;
  const auto blocks = unsigned(std::min<int64_t>(blocks_for(c.count, share), most_blocks));
  Sums* const of_block = scratch<Sums>(blocks, stream);
  launch({"whiten_sum", blocks, threads, stream}, whiten_sum_kernel, c, of_block);
  launch({"whiten_square", blocks, threads, stream}, whiten_square_kernel, c, of_block);
  launch({"whiten", blocks, threads, stream}, whiten_kernel, c, of_block);
}

template void run(Cuda, const Whiten<float>&, Stream);

}  // namespace rlhf
