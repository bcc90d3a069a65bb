// out (M, N) = a (M, K) . b (K, N). Each product needs two numbers; what the steps change is how
// far those have to travel: from memory, from shared memory, from registers.
#include "bench/ladder/ladder.h"
#include "kernels/cuda/support/block.h"

namespace rlhf::ladder {
namespace {

using Contract = Gemm<float>;

// ---- a thread an element, neighbouring threads down a column: each reads another row of a
// ---------

__global__ void down_the_columns(Contract c) {
  const int64_t row = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t column = int64_t(blockIdx.y) * blockDim.y + threadIdx.y;
  if (row >= c.M || column >= c.N) return;
  float sum = 0;
  for (int64_t k = 0; k < c.K; k++) sum += c.a[row * c.K + k] * c.b[k * c.N + column];
  c.out[row * c.N + column] = sum;
}

void run_down_the_columns(const Contract& c, Stream stream) {
  const dim3 grid(gpu::blocks_for(c.M, 32), gpu::blocks_for(c.N, 8));
  gpu::launch({"down_the_columns", grid, dim3(32, 8), stream}, down_the_columns, c);
}

// ---- the same along the rows: a warp reads one element of a, shared, and 128 bytes of b in one go
// ---

__global__ void along_the_rows(Contract c) {
  const int64_t column = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t row = int64_t(blockIdx.y) * blockDim.y + threadIdx.y;
  if (row >= c.M || column >= c.N) return;
  float sum = 0;
  for (int64_t k = 0; k < c.K; k++) sum += c.a[row * c.K + k] * c.b[k * c.N + column];
  c.out[row * c.N + column] = sum;
}

void run_along_the_rows(const Contract& c, Stream stream) {
  const dim3 grid(gpu::blocks_for(c.N, 32), gpu::blocks_for(c.M, 8));
  gpu::launch({"along_the_rows", grid, dim3(32, 8), stream}, along_the_rows, c);
}

/// Element (row, column) of a matrix with `rows` rows, 0 outside of it.
__device__ float at(const float* matrix, int64_t rows, int64_t columns, int64_t row,
                    int64_t column) {
  return row < rows && column < columns ? matrix[row * columns + column] : 0;
}

// ---- tiles in shared memory: each element comes from memory once for 32 products
// ------------------

constexpr int side = 32;

__global__ void shared_tile(Contract c) {
  __shared__ float a[side][side], b[side][side];
  const int x = threadIdx.x, y = threadIdx.y;
  const int64_t row = int64_t(blockIdx.y) * side + y, column = int64_t(blockIdx.x) * side + x;
  float sum = 0;
  for (int64_t first = 0; first < c.K; first += side) {
    a[y][x] = at(c.a, c.M, c.K, row, first + x);
    b[y][x] = at(c.b, c.K, c.N, first + y, column);
    __syncthreads();
    for (int k = 0; k < side; k++) sum += a[y][k] * b[k][x];
    __syncthreads();
  }
  if (row < c.M && column < c.N) c.out[row * c.N + column] = sum;
}

void run_shared_tile(const Contract& c, Stream stream) {
  const dim3 grid(gpu::blocks_for(c.N, side), gpu::blocks_for(c.M, side));
  gpu::launch({"shared_tile", grid, dim3(side, side), stream}, shared_tile, c);
}

// ---- 8 outputs of a column a thread: a number of b, once in a register, serves 8 products
// ------------

constexpr int column_side = 64, column_depth = 8, down = 8;

__global__ void register_column(Contract c) {
  __shared__ float a[column_side][column_depth], b[column_depth][column_side];
  const int x = threadIdx.x % column_side, y = threadIdx.x / column_side;  // 64 x 8 threads
  const int64_t first_row = int64_t(blockIdx.y) * column_side;
  const int64_t column = int64_t(blockIdx.x) * column_side + x;
  float sum[down] = {};
  for (int64_t first = 0; first < c.K; first += column_depth) {
    const int row = threadIdx.x / column_depth, k = threadIdx.x % column_depth;
    a[row][k] = at(c.a, c.M, c.K, first_row + row, first + k);
    b[y][x] = at(c.b, c.K, c.N, first + y, column);
    __syncthreads();
    for (int k = 0; k < column_depth; k++) {
      const float mine = b[k][x];
      for (int n = 0; n < down; n++) sum[n] += a[y * down + n][k] * mine;
    }
    __syncthreads();
  }
  for (int n = 0; n < down; n++) {
    const int64_t row = first_row + y * down + n;
    if (row < c.M && column < c.N) c.out[row * c.N + column] = sum[n];
  }
}

void run_register_column(const Contract& c, Stream stream) {
  const dim3 grid(gpu::blocks_for(c.N, column_side), gpu::blocks_for(c.M, column_side));
  gpu::launch({"register_column", grid, column_side * column_depth, stream}, register_column, c);
}

// ---- 8 x 8 outputs a thread: 16 numbers from shared memory make 64 products
// ------------------------

constexpr int large = 128, depth = 8, held = 8, threads = large * large / (held * held);

/// Puts the block's next tiles into shared memory; a lies transposed, so that a thread's eight rows
/// are neighbours.
__device__ void load_tiles(const Contract& c, float (&a)[depth][large], float (&b)[depth][large],
                           int64_t first) {
  for (int i = threadIdx.x; i < large * depth; i += threads) {
    const int64_t row = int64_t(blockIdx.y) * large + i / depth;
    a[i % depth][i / depth] = at(c.a, c.M, c.K, row, first + i % depth);
    const int64_t column = int64_t(blockIdx.x) * large + i % large;
    b[i / large][i % large] = at(c.b, c.K, c.N, first + i / large, column);
  }
}

__global__ void __launch_bounds__(threads) register_tile(Contract c) {
  __shared__ float a[depth][large], b[depth][large];
  const int rows = threadIdx.x / (large / held) * held;
  const int columns = threadIdx.x % (large / held) * held;
  float sum[held][held] = {};
  for (int64_t first = 0; first < c.K; first += depth) {
    load_tiles(c, a, b, first);
    __syncthreads();
    for (int k = 0; k < depth; k++) {
      float mine[held], theirs[held];
      for (int n = 0; n < held; n++) mine[n] = a[k][rows + n], theirs[n] = b[k][columns + n];
      for (int i = 0; i < held; i++) {
        for (int j = 0; j < held; j++) sum[i][j] += mine[i] * theirs[j];
      }
    }
    __syncthreads();
  }
  for (int i = 0; i < held; i++) {
    for (int j = 0; j < held; j++) {
      const int64_t row = int64_t(blockIdx.y) * large + rows + i;
      const int64_t column = int64_t(blockIdx.x) * large + columns + j;
      if (row < c.M && column < c.N) c.out[row * c.N + column] = sum[i][j];
    }
  }
}

void run_register_tile(const Contract& c, Stream stream) {
  const dim3 grid(gpu::blocks_for(c.N, large), gpu::blocks_for(c.M, large));
  gpu::launch({"register_tile", grid, threads, stream}, register_tile, c);
}

// ---- a warp's threads side by side (4 x 8), and 16 bytes a load: four rows of a and eight columns
// of b, each in one go, serve a whole warp without two lanes at one bank
// -------------------------------

__global__ void __launch_bounds__(threads) warp_tile(Contract c) {
  alignas(16) __shared__ float a[depth][large];
  alignas(16) __shared__ float b[depth][large];
  const int rows = gpu::warp() / 2 * 32 + gpu::lane() / 8 * 4;     // and 16 further down
  const int columns = gpu::warp() % 2 * 64 + gpu::lane() % 8 * 4;  // and 32 further right
  float sum[held][held] = {};
  for (int64_t first = 0; first < c.K; first += depth) {
    load_tiles(c, a, b, first);
    __syncthreads();
    for (int k = 0; k < depth; k++) {
      const gpu::Pack<float> mine[] = {gpu::load_pack(&a[k][rows]),
                                       gpu::load_pack(&a[k][rows + 16])};
      const gpu::Pack<float> theirs[] = {gpu::load_pack(&b[k][columns]),
                                         gpu::load_pack(&b[k][columns + 32])};
      for (int i = 0; i < held; i++) {
        for (int j = 0; j < held; j++) sum[i][j] += mine[i / 4][i % 4] * theirs[j / 4][j % 4];
      }
    }
    __syncthreads();
  }
  for (int i = 0; i < held; i++) {
    for (int j = 0; j < held; j++) {
      const int64_t row = int64_t(blockIdx.y) * large + rows + i / 4 * 16 + i % 4;
      const int64_t column = int64_t(blockIdx.x) * large + columns + j / 4 * 32 + j % 4;
      if (row < c.M && column < c.N) c.out[row * c.N + column] = sum[i][j];
    }
  }
}

void run_warp_tile(const Contract& c, Stream stream) {
  const dim3 grid(gpu::blocks_for(c.N, large), gpu::blocks_for(c.M, large));
  gpu::launch({"warp_tile", grid, threads, stream}, warp_tile, c);
}

}  // namespace

Ladder<Gemm<float>> matmul() {
  return {
      {"down the columns", "a thread an element", run_down_the_columns},
      {"along the rows", "neighbouring threads read neighbouring addresses", run_along_the_rows},
      {"shared tile", "elements come from memory once for 32 products", run_shared_tile},
      {"register column", "a number of b in a register serves 8 products", run_register_column},
      {"register tile", "8 x 8 products from 16 numbers out of shared memory", run_register_tile},
      {"warp tile", "16 bytes a load, lanes of a warp side by side", run_warp_tile},
      engine<Gemm<float>>()};
}

}  // namespace rlhf::ladder
