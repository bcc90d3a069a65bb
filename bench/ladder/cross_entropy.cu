// The log-probability of one token among V: a maximum, a sum of exponentials, one subtraction. V is
// 50257 in GPT-2, so that reading the logits is all that it costs.
#include "bench/ladder/ladder.h"
#include "kernels/cuda/support/block.h"

namespace rlhf::ladder {
namespace {

using Contract = LogProbForward<float>;

__device__ void store(const Contract& c, int64_t row, float max, float sum) {
  const int32_t target = c.target[row];
  const float lse = max + logf(sum);
  c.lse[row] = target < 0 ? 0 : lse;
  c.log_prob[row] = target < 0 ? 0 : c.logits[row * c.V + target] * c.inverse_temperature - lse;
}

// ---- one thread a row, two passes
// -----------------------------------------------------------------

__global__ void thread_a_row(Contract c) {
  const int64_t row = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= c.N) return;
  const float* z = c.logits + row * c.V;
  float max = -INFINITY, sum = 0;
  for (int64_t v = 0; v < c.V; v++) max = fmaxf(max, z[v] * c.inverse_temperature);
  for (int64_t v = 0; v < c.V; v++) sum += expf(z[v] * c.inverse_temperature - max);
  store(c, row, max, sum);
}

void run_thread_a_row(const Contract& c, Stream stream) {
  gpu::launch({"thread_a_row", gpu::blocks_for(c.N, 128), 128, stream}, thread_a_row, c);
}

// ---- one block a row: coalesced, and enough threads to keep memory busy, still two passes
// ---------

__global__ void block_a_row(Contract c) {
  const int64_t row = blockIdx.x;
  const float* z = c.logits + row * c.V;
  float max = -INFINITY, sum = 0;
  for (int64_t v = threadIdx.x; v < c.V; v += blockDim.x) {
    max = fmaxf(max, z[v] * c.inverse_temperature);
  }
  max = gpu::block_max(max, -INFINITY);
  for (int64_t v = threadIdx.x; v < c.V; v += blockDim.x) {
    sum += expf(z[v] * c.inverse_temperature - max);
  }
  sum = gpu::block_sum(sum);
  if (threadIdx.x == 0) store(c, row, max, sum);
}

void run_block_a_row(const Contract& c, Stream stream) {
  gpu::launch({"block_a_row", unsigned(c.N), 512, stream}, block_a_row, c);
}

// ---- online softmax (Milakov and Gimelshein 2018): one pass. When the maximum grows, what has
// been summed so far is scaled down to it
// ----------------------------------------------------------------

__global__ void one_pass(Contract c) {
  const int64_t row = blockIdx.x;
  const float* z = c.logits + row * c.V;
  float max = -INFINITY, sum = 0;
  for (int64_t v = threadIdx.x; v < c.V; v += blockDim.x) {
    const float x = z[v] * c.inverse_temperature;
    if (x > max) {
      sum *= expf(max - x);
      max = x;
    }
    sum += expf(x - max);
  }
  const float of_block = gpu::block_max(max, -INFINITY);
  sum = gpu::block_sum(max == -INFINITY ? 0 : sum * expf(max - of_block));
  if (threadIdx.x == 0) store(c, row, of_block, sum);
}

void run_one_pass(const Contract& c, Stream stream) {
  gpu::launch({"one_pass", unsigned(c.N), 512, stream}, one_pass, c);
}

}  // namespace

Ladder<LogProbForward<float>> cross_entropy() {
  return {{"thread a row", "the loop of the textbook, a row a thread", run_thread_a_row},
          {"block a row", "neighbouring threads read neighbouring addresses", run_block_a_row},
          {"one pass", "maximum and sum in the same pass", run_one_pass},
          engine<LogProbForward<float>>()};
}

}  // namespace rlhf::ladder
