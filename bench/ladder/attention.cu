// Causal attention. The first rung writes the T x T weights to memory and reads them back; the
// others never have them.
#include "bench/ladder/ladder.h"
#include "kernels/cuda/support/block.h"

namespace rlhf::ladder {
namespace {

using Contract = AttentionForward<float>;

__device__ const float* query(const Contract& c, int64_t b, int64_t h, int64_t i) {
  return c.q + b * c.layout.q_batch + i * c.layout.q_token + h * c.layout.D;
}
__device__ int64_t kv_at(const Contract& c, int64_t b, int64_t h, int64_t j) {
  return b * c.layout.kv_batch + j * c.layout.kv_token + h * c.layout.D;
}
__device__ float* output(const Contract& c, int64_t b, int64_t h, int64_t i) {
  return c.out + ((b * c.layout.Tq + i) * c.layout.H + h) * c.layout.D;
}

// ---- three kernels and a matrix of weights in memory
// ----------------------------------------------

__global__ void scores_kernel(Contract c, float* scores) {  // a thread an element of (B*H*T, T)
  const AttentionLayout& l = c.layout;
  const int64_t at = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t j = at % l.Tk, i = at / l.Tk % l.Tq, bh = at / l.Tk / l.Tq;
  if (bh >= l.B * l.H) return;
  const float* q = query(c, bh / l.H, bh % l.H, i);
  const float* k = c.k + kv_at(c, bh / l.H, bh % l.H, j);
  float dot = 0;
  for (int64_t d = 0; d < l.D; d++) dot += q[d] * k[d];
  scores[at] = j < l.last_key(bh / l.H, i) ? dot * c.scale : -INFINITY;
}

__global__ void softmax_kernel(Contract c, float* scores) {  // a warp a row
  const AttentionLayout& l = c.layout;
  const int64_t row = int64_t(blockIdx.x) * (blockDim.x / 32) + gpu::warp();
  if (row >= l.B * l.H * l.Tq) return;
  float* s = scores + row * l.Tk;
  float max = -INFINITY, sum = 0;
  for (int64_t j = gpu::lane(); j < l.Tk; j += 32) max = fmaxf(max, s[j]);
  max = gpu::warp_max(max);
  for (int64_t j = gpu::lane(); j < l.Tk; j += 32) sum += expf(s[j] - max);
  sum = gpu::warp_sum(sum);
  for (int64_t j = gpu::lane(); j < l.Tk; j += 32) s[j] = expf(s[j] - max) / sum;
  if (gpu::lane() == 0) c.lse[row] = max + logf(sum);
}

__global__ void values_kernel(Contract c, const float* weights) {  // a thread an output
  const AttentionLayout& l = c.layout;
  const int64_t at = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t d = at % l.D, row = at / l.D, i = row % l.Tq, bh = row / l.Tq;
  if (bh >= l.B * l.H) return;
  float sum = 0;
  for (int64_t j = 0; j < l.last_key(bh / l.H, i); j++) {
    sum += weights[row * l.Tk + j] * c.v[kv_at(c, bh / l.H, bh % l.H, j) + d];
  }
  output(c, bh / l.H, bh % l.H, i)[d] = sum;
}

void run_matrix(const Contract& c, Stream stream) {
  const AttentionLayout& l = c.layout;
  const int64_t rows = l.B * l.H * l.Tq;
  float* const scores = gpu::scratch<float>(rows * l.Tk, stream);
  const auto blocks = [](int64_t threads) { return gpu::blocks_for(threads, 256); };
  gpu::launch({"scores", blocks(rows * l.Tk), 256, stream}, scores_kernel, c, scores);
  gpu::launch({"softmax", blocks(rows * 32), 256, stream}, softmax_kernel, c, scores);
  gpu::launch({"values", blocks(rows * l.D), 256, stream}, values_kernel, c, scores);
}

// ---- a warp a query, online: each lane holds D / 32 elements of the query and of the output, and
// a dot product is a warp's sum. No weights in memory, but every query reads all its keys
// -------------

constexpr int most_held = 4;  // elements a lane: D up to 128

struct Online {  // softmax-weighted sum of values seen so far
  float out[most_held] = {}, max = -INFINITY, sum = 0;

  __device__ void add(float score, const float* value, int held) {
    const float larger = fmaxf(max, score);
    const float keep = expf(max - larger), weight = expf(score - larger);
    for (int n = 0; n < held; n++) {
      out[n] = out[n] * keep + weight * value[gpu::lane() + 32 * n];
    }
    sum = sum * keep + weight;
    max = larger;
  }
};

__device__ void attend(const Contract& c, Online& online, const float* q, const float* k,
                       const float* v, int held) {
  float dot = 0;
  for (int n = 0; n < held; n++) dot += q[n] * k[gpu::lane() + 32 * n];
  online.add(gpu::warp_sum(dot) * c.scale, v, held);
}

__device__ void finish(const Contract& c, const Online& online, int64_t b, int64_t h, int64_t i) {
  const int held = int(c.layout.D) / 32;
  float* out = output(c, b, h, i);
  for (int n = 0; n < held; n++) out[gpu::lane() + 32 * n] = online.out[n] / online.sum;
  if (gpu::lane() == 0) {
    c.lse[(b * c.layout.H + h) * c.layout.Tq + i] = online.max + logf(online.sum);
  }
}

__global__ void warp_a_query(Contract c) {
  const AttentionLayout& l = c.layout;
  const int64_t row = int64_t(blockIdx.x) * (blockDim.x / 32) + gpu::warp();
  const int64_t i = row % l.Tq, b = row / l.Tq / l.H, h = row / l.Tq % l.H;
  if (b >= l.B) return;
  const int held = int(l.D) / 32;
  float q[most_held];
  for (int n = 0; n < held; n++) q[n] = query(c, b, h, i)[gpu::lane() + 32 * n];
  Online online;
  for (int64_t j = 0; j < l.last_key(b, i); j++) {
    attend(c, online, q, c.k + kv_at(c, b, h, j), c.v + kv_at(c, b, h, j), held);
  }
  finish(c, online, b, h, i);
}

void run_warp_a_query(const Contract& c, Stream stream) {
  const int64_t rows = c.layout.B * c.layout.H * c.layout.Tq;
  gpu::launch({"warp_a_query", gpu::blocks_for(rows, 4), 128, stream}, warp_a_query, c);
}

// ---- tiles of keys and values in shared memory: read once for all the queries of a block
// ----------

constexpr int tile = 32;

__global__ void shared_tiles(Contract c) {
  const AttentionLayout& l = c.layout;
  const int held = int(l.D) / 32, warps = int(blockDim.x) / 32;
  float* const keys = gpu::dynamic_shared<float>();
  float* const values = keys + tile * l.D;
  const int64_t b = blockIdx.y / l.H, h = blockIdx.y % l.H;
  const int64_t last_query = int64_t(blockIdx.x + 1) * warps - 1;
  const int64_t i = int64_t(blockIdx.x) * warps + gpu::warp();
  float q[most_held] = {};
  for (int n = 0; n < held && i < l.Tq; n++) q[n] = query(c, b, h, i)[gpu::lane() + 32 * n];
  Online online;
  const int64_t end = l.last_key(b, last_query < l.Tq ? last_query : l.Tq - 1);
  for (int64_t first = 0; first < end; first += tile) {
    for (int64_t at = threadIdx.x; at < tile * l.D; at += blockDim.x) {
      const int64_t j = first + at / l.D;
      keys[at] = j < l.Tk ? c.k[kv_at(c, b, h, j) + at % l.D] : 0;
      values[at] = j < l.Tk ? c.v[kv_at(c, b, h, j) + at % l.D] : 0;
    }
    __syncthreads();
    const int64_t mine = i < l.Tq ? l.last_key(b, i) : 0;
    for (int64_t j = first; j < mine && j < first + tile; j++) {
      attend(c, online, q, keys + (j - first) * l.D, values + (j - first) * l.D, held);
    }
    __syncthreads();
  }
  if (i < l.Tq) finish(c, online, b, h, i);
}

void run_shared_tiles(const Contract& c, Stream stream) {
  const AttentionLayout& l = c.layout;
  constexpr int warps = 8;
  gpu::launch({"shared_tiles", dim3(gpu::blocks_for(l.Tq, warps), unsigned(l.B * l.H)), 32 * warps,
               stream, size_t(2 * tile * l.D) * sizeof(float)},
              shared_tiles, c);
}

}  // namespace

Ladder<AttentionForward<float>> attention() {
  return {
      {"matrix", "scores, softmax and weighted sum as three kernels", run_matrix},
      {"online", "a warp a query; weights never leave the registers", run_warp_a_query},
      {"shared tiles", "a block reads keys and values once for eight queries", run_shared_tiles},
      engine<AttentionForward<float>>()};
}

}  // namespace rlhf::ladder
