// Products of few rows (decoding: one a sequence) or few columns (the heads of reward and value):
// the large factor is read once, 16 bytes at a time, and that takes all the time there is; the
// small one waits in shared memory. Which of the two is the left one matters to the end only.
#include "kernels/cuda/support/gemm_product.h"

namespace rlhf::gpu {
namespace {

/// The few rows of one factor against the many of the other.
template <class T, class Out>
struct Thin {
  Operand<T> few, many;
  int64_t K, depth;  ///< of a part of the sum
  bool few_is_left;
  Epilogue<T, Out> end;

  __device__ int64_t first() const { return int64_t(blockIdx.y) * depth; }
  __device__ int span() const { return int(K - first() < depth ? K - first() : depth); }
  __device__ void put(float sum, int64_t f, int64_t m) const {
    if (few_is_left) {
      end.put(Values<1>{sum}, f, m, blockIdx.y);
    } else {
      end.put(Values<1>{sum}, m, f, blockIdx.y);
    }
  }
};

constexpr int dot_block = 256;
constexpr int rows_of_warp = 4;
constexpr int rows_of_block = dot_block / warp_size * rows_of_warp;

/// Dot products: the many are contiguous along k. A warp takes 4 of them at once, its lanes
/// neighbouring vectors of k.
template <class T, class Out, int count, int width>
__global__ void __launch_bounds__(dot_block) dot_kernel(Thin<T, Out> p) {
  T* const staged = dynamic_shared<T>();  // (count, depth)
  const int64_t first = p.first();
  const int span = p.span(), depth = int(p.depth);
  for (int i = int(threadIdx.x); i < count * depth; i += dot_block) {
    const int f = i / depth, k = i % depth;
    staged[i] = f < p.few.extent && k < span ? *p.few.at(f, first + k) : T(0.0f);
  }
  __syncthreads();
  const int64_t stride = int64_t(gridDim.x) * rows_of_block;
  int64_t row = int64_t(blockIdx.x) * rows_of_block + warp() * rows_of_warp;
  for (; row < p.many.extent; row += stride) {
    const T* from[rows_of_warp];
#pragma unroll
    for (int r = 0; r < rows_of_warp; r++) {
      from[r] = p.many.at(row + r < p.many.extent ? row + r : row, first);
    }
    float sums[rows_of_warp][count] = {};
    for (int k = lane() * width; k < span; k += warp_size * width) {
      Raw<T, width> many[rows_of_warp];
#pragma unroll
      for (int r = 0; r < rows_of_warp; r++) many[r] = Raw<T, width>::fetch(from[r] + k);
#pragma unroll
      for (int f = 0; f < count; f++) {
        const Values<width> few = load<width>(staged + f * depth + k);
#pragma unroll
        for (int r = 0; r < rows_of_warp; r++) {
#pragma unroll
          for (int i = 0; i < width; i++) {
            sums[r][f] = fmaf(few[i], float(many[r].values[i]), sums[r][f]);
          }
        }
      }
    }
    float mine = 0;
#pragma unroll
    for (int f = 0; f < count; f++) {
#pragma unroll
      for (int r = 0; r < rows_of_warp; r++) {
        const float sum = warp_sum(sums[r][f]);
        if (lane() == f * rows_of_warp + r) mine = sum;
      }
    }
    const int f = lane() / rows_of_warp;
    const int64_t m = row + lane() % rows_of_warp;
    if (f < count && f < p.few.extent && m < p.many.extent) p.put(mine, f, m);
  }
}

constexpr int axpy_block = 512;

/// Lanes that read neighbouring vectors for one k: 4, so that a warp reads 8 times 64 bytes at
/// once; what cannot be read by vectors is read by whole warps for one k.
template <int width>
constexpr int axpy_lanes = width == 1 ? warp_size : 4;

/// Sums of scaled rows: the many are contiguous along themselves. A block takes 16 or 32 of them,
/// its threads vectors of these for different k. Matrices are small and few blocks share them, so
/// each thread fetches several vectors before it looks at the first.
template <class T, class Out, int count, int width>
__global__ void __launch_bounds__(axpy_block) axpy_kernel(Thin<T, Out> p) {
  constexpr int lanes = axpy_lanes<width>, columns = lanes * width;
  constexpr int ks = axpy_block / lanes, ahead = count > 4 ? 4 : 8;
  float* const shared = dynamic_shared<float>();  // (depth, count), then (warps, count, columns)
  const int64_t first = p.first();
  const int span = p.span();
  for (int i = int(threadIdx.x); i < count * span; i += axpy_block) {
    const int f = i % count, k = i / count;
    shared[i] = f < p.few.extent ? float(*p.few.at(f, first + k)) : 0.0f;
  }
  __syncthreads();
  const int64_t begin = int64_t(blockIdx.x) * columns;
  const int place = int(threadIdx.x) % lanes * width;
  const T* const from = p.many.at(begin + place, first);
  const int end = begin + place < p.many.extent ? span : 0;
  float sums[count][width] = {};
  for (int k = int(threadIdx.x) / lanes; k < end; k += ahead * ks) {
    Raw<T, width> many[ahead];
#pragma unroll
    for (int n = 0; n < ahead; n++) {
      if (k + n * ks < end) many[n] = Raw<T, width>::fetch(from + (k + n * ks) * p.many.stride);
    }
#pragma unroll
    for (int n = 0; n < ahead; n++) {
      if (k + n * ks >= end) break;
      const Values<width> x = many[n];
#pragma unroll
      for (int f = 0; f < count; f++) {
        const float few = shared[(k + n * ks) * count + f];
#pragma unroll
        for (int i = 0; i < width; i++) sums[f][i] = fmaf(few, x[i], sums[f][i]);
      }
    }
  }
  __syncthreads();
#pragma unroll
  for (int f = 0; f < count; f++) {
#pragma unroll
    for (int i = 0; i < width; i++) {
      float sum = sums[f][i];
      for (int distance = lanes; distance < warp_size; distance *= 2) {
        sum += __shfl_xor_sync(full_mask, sum, distance);
      }
      if (lane() < lanes) shared[(warp() * count + f) * columns + place + i] = sum;
    }
  }
  __syncthreads();
  for (int i = int(threadIdx.x); i < count * columns; i += axpy_block) {
    const int f = i / columns;
    const int64_t m = begin + i % columns;
    float sum = 0;
    for (int w = 0; w < axpy_block / warp_size; w++) sum += shared[w * count * columns + i];
    if (f < p.few.extent && m < p.many.extent) p.put(sum, f, m);
  }
}

template <class T, class Out, int count, int width>
void launch_thin(const Gemm<T, Out>& g, Stream stream) {
  Thin<T, Out> p{.few = left_of(g), .many = right_of(g), .K = g.K, .few_is_left = g.M <= few};
  if (!p.few_is_left) std::swap(p.few, p.many);
  // What a block reads of the many: enough to outlast its start, and few enough bytes that a
  // multiprocessor without a block of its own would be missed.
  const int64_t most = p.many.along_k ? 8192 / int64_t(sizeof(T)) : 2048;
  const Split parts = split(g.K, std::max<int64_t>((g.K + most - 1) / most, 1), 64);
  p.depth = parts.depth;
  p.end = epilogue_of(g, parts.parts, stream);
  const int64_t staged = parts.depth * count;
  if (p.many.along_k) {
    constexpr int64_t most_blocks = 4 * Tiling::multiprocessors;
    const int64_t blocks = std::min<int64_t>(blocks_for(p.many.extent, rows_of_block), most_blocks);
    launch({"gemm_dot", dim3(unsigned(blocks), unsigned(parts.parts)), dot_block, stream,
            size_t(staged) * sizeof(T)},
           dot_kernel<T, Out, count, width>, p);
  } else {
    constexpr int64_t columns = axpy_lanes<width> * width;
    const int64_t floats = std::max(staged, axpy_block / warp_size * count * columns);
    launch({"gemm_axpy", dim3(blocks_for(p.many.extent, columns), unsigned(parts.parts)),
            axpy_block, stream, size_t(floats) * sizeof(float)},
           axpy_kernel<T, Out, count, width>, p);
  }
  sum_parts(p.end, parts.parts, stream);
}

}  // namespace

template <class T, class Out>
void multiply_few(const Gemm<T, Out>& g, Stream stream) {
  const bool few_is_left = g.M <= few;
  const int64_t count = few_is_left ? g.M : g.N;
  constexpr int width = Pack<T>::size;
  const Operand<T> many = few_is_left ? right_of(g) : left_of(g);
  if (!many.packs || (many.along_k ? g.K : many.extent) % width != 0) {
    launch_thin<T, Out, few, 1>(g, stream);
  } else if (count > 4) {
    launch_thin<T, Out, few, width>(g, stream);
  } else if (count > 2) {
    launch_thin<T, Out, 4, width>(g, stream);
  } else if (count > 1) {
    launch_thin<T, Out, 2, width>(g, stream);
  } else {
    launch_thin<T, Out, 1, width>(g, stream);
  }
}

template void multiply_few(const Gemm<float>&, Stream);
template void multiply_few(const Gemm<bf16>&, Stream);
template void multiply_few(const Gemm<bf16, float>&, Stream);

}  // namespace rlhf::gpu
