// Layer normalisation reads and writes each element once, at best: all steps are about memory.
#include "bench/ladder/ladder.h"
#include "kernels/cuda/support/block.h"

namespace rlhf::ladder {
namespace {

using Contract = LayerNormForward<float>;

// ---- one thread a row: neighbours read addresses a whole row apart, so that of every 32 bytes
// that memory delivers, 4 are used
// ----------------------------------------------------------------------

__global__ void thread_a_row(Contract c) {
  const int64_t row = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= c.rows) return;
  const float* in = c.in + row * c.C;
  float sum = 0, squares = 0;
  for (int64_t i = 0; i < c.C; i++) sum += in[i];
  const float mean = sum / float(c.C);
  for (int64_t i = 0; i < c.C; i++) squares += (in[i] - mean) * (in[i] - mean);
  const float rstd = rsqrtf(squares / float(c.C) + c.eps);
  for (int64_t i = 0; i < c.C; i++) {
    c.out[row * c.C + i] = (in[i] - mean) * rstd * c.weight[i] + c.bias[i];
  }
  c.mean[row] = mean;
  c.rstd[row] = rstd;
}

void run_thread_a_row(const Contract& c, Stream stream) {
  gpu::launch({"thread_a_row", gpu::blocks_for(c.rows, 128), 128, stream}, thread_a_row, c);
}

// ---- one warp a row: 32 neighbours read 128 bytes in one go, and add up by shuffles
// ---------------

__global__ void warp_a_row(Contract c) {
  const int64_t row = int64_t(blockIdx.x) * (blockDim.x / 32) + gpu::warp();
  if (row >= c.rows) return;  // the same for the whole warp
  const float* in = c.in + row * c.C;
  float sum = 0, squares = 0;
  for (int64_t i = gpu::lane(); i < c.C; i += 32) sum += in[i];
  const float mean = gpu::warp_sum(sum) / float(c.C);
  for (int64_t i = gpu::lane(); i < c.C; i += 32) squares += (in[i] - mean) * (in[i] - mean);
  const float rstd = rsqrtf(gpu::warp_sum(squares) / float(c.C) + c.eps);
  for (int64_t i = gpu::lane(); i < c.C; i += 32) {
    c.out[row * c.C + i] = (in[i] - mean) * rstd * c.weight[i] + c.bias[i];
  }
  if (gpu::lane() == 0) {
    c.mean[row] = mean;
    c.rstd[row] = rstd;
  }
}

void run_warp_a_row(const Contract& c, Stream stream) {
  gpu::launch({"warp_a_row", gpu::blocks_for(c.rows, 4), 128, stream}, warp_a_row, c);
}

// ---- the row kept in shared memory: read from memory once instead of three times
// ------------------

__global__ void row_kept(Contract c) {
  float* const kept = gpu::dynamic_shared<float>();
  const int64_t row = blockIdx.x;
  const float* in = c.in + row * c.C;
  float sum = 0, squares = 0;
  for (int64_t i = threadIdx.x; i < c.C; i += blockDim.x) {
    kept[i] = in[i];  // read again by the same thread only: no barrier
    sum += kept[i];
  }
  const float mean = gpu::block_sum(sum) / float(c.C);
  for (int64_t i = threadIdx.x; i < c.C; i += blockDim.x) {
    squares += (kept[i] - mean) * (kept[i] - mean);
  }
  const float rstd = rsqrtf(gpu::block_sum(squares) / float(c.C) + c.eps);
  for (int64_t i = threadIdx.x; i < c.C; i += blockDim.x) {
    c.out[row * c.C + i] = (kept[i] - mean) * rstd * c.weight[i] + c.bias[i];
  }
  if (threadIdx.x == 0) {
    c.mean[row] = mean;
    c.rstd[row] = rstd;
  }
}

void run_row_kept(const Contract& c, Stream stream) {
  gpu::launch({"row_kept", unsigned(c.rows), 256, stream, size_t(c.C) * sizeof(float)}, row_kept,
              c);
}

}  // namespace

Ladder<LayerNormForward<float>> layer_norm() {
  return {{"thread a row", "the loop of the textbook, a row a thread", run_thread_a_row},
          {"warp a row", "neighbouring threads read neighbouring addresses", run_warp_a_row},
          {"row kept", "each element is read from memory once", run_row_kept},
          engine<LayerNormForward<float>>()};
}

}  // namespace rlhf::ladder
