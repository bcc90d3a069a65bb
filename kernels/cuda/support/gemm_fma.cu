// Products of float by register tiles: each thread holds 8 x 8 sums, so that of 16 numbers read
// from shared memory 64 multiply-adds are made. While one slice of k is multiplied the next is on
// its way from device memory to registers, and then into the other half of shared memory.
#include "kernels/cuda/support/gemm_product.h"

namespace rlhf::gpu {
namespace {

/// Tiles of size x size and slices of `depth`; a warp has 32 x 64 of the tile.
template <int tile_size>
struct Shape {
  static constexpr int size = tile_size;
  static constexpr int depth = size == Tiling::large ? 16 : 8;
  static constexpr int threads = size * size / 64;
  /// A multiprocessor is to hold so many: 128 and 168 registers a thread, without spilling.
  static constexpr int blocks = size == Tiling::large ? 2 : 6;
  static constexpr int row = size + 4;  ///< of a slice: padded against bank conflicts
  static constexpr int packs = size * depth / threads / 4;  ///< that a thread moves of a slice
};

/// What a thread carries of the next slice (size, depth) of one factor; in shared memory it is
/// (depth, row) whichever way it lay.
template <class S, bool along_k>
class Slice {
 public:
  __device__ Slice(const Operand<float>& factor, int64_t first, int64_t k, int k_count)
      : row_(along_k ? int(threadIdx.x) / across : int(threadIdx.x) % across * 4),
        k_(along_k ? int(threadIdx.x) % across * 4 : int(threadIdx.x) / across),
        rows_left_(factor.extent - first < S::size ? int(factor.extent - first) - row_
                                                   : S::size - row_),
        k_left_(k_count - k_),
        from_(factor.at(first + row_, k + k_)) {}

  /// The slice that comes next.
  __device__ void load(const Operand<float>& factor) {
#pragma unroll
    for (int p = 0; p < S::packs; p++) {
      const float* const from = from_ + p * down * factor.stride;
      const int slow = p * down;
      const int left =
          along_k ? (rows_left_ > slow ? k_left_ : 0) : (k_left_ > slow ? rows_left_ : 0);
      if (factor.packs && left >= 4) {
        held_[p] = load_pack(from);
      } else {
#pragma unroll
        for (int e = 0; e < 4; e++) held_[p][e] = e < left ? from[e] : 0.0f;
      }
    }
    k_left_ -= S::depth;
    from_ += along_k ? S::depth : S::depth * factor.stride;
  }

  __device__ void store(float* slice) const {
#pragma unroll
    for (int p = 0; p < S::packs; p++) {
      if constexpr (along_k) {
        float* const to = slice + k_ * S::row + row_ + p * down;
#pragma unroll
        for (int e = 0; e < 4; e++) to[e * S::row] = held_[p][e];
      } else {
        store_pack(slice + (k_ + p * down) * S::row + row_, held_[p]);
      }
    }
  }

 private:
  static constexpr int across = (along_k ? S::depth : S::size) / 4;  ///< packs side by side
  static constexpr int down = S::threads / across;  ///< from one pack of a thread to its next

  int row_, k_;  ///< within a slice, where the thread's first pack begins
  int rows_left_, k_left_;
  const float* from_;
  Pack<float> held_[S::packs];
};

/// sums += the outer products of a slice's rows of both factors.
template <class S>
__device__ void multiply(float (&sums)[8][8], const float* left, const float* right, int row,
                         int column) {
#pragma unroll
  for (int k = 0; k < S::depth; k++) {
    float a[8], b[8];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const Pack<float> x = load_pack(left + k * S::row + row + half * 16);
      const Pack<float> y = load_pack(right + k * S::row + column + half * 32);
#pragma unroll
      for (int e = 0; e < 4; e++) a[half * 4 + e] = x[e], b[half * 4 + e] = y[e];
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
#pragma unroll
      for (int j = 0; j < 8; j++) sums[i][j] = fmaf(a[i], b[j], sums[i][j]);
    }
  }
}

template <class S, bool left_along_k, bool right_along_k>
__global__ void __launch_bounds__(S::threads, S::blocks)
    fma_kernel(Operand<float> left, Operand<float> right, int64_t K, Tiling tiling,
               Epilogue<float, float> end) {
  alignas(16) __shared__ float lefts[2][S::depth * S::row];
  alignas(16) __shared__ float rights[2][S::depth * S::row];
  const TilePlace place(blockIdx.x, tiling.rows, tiling.columns);
  const int64_t first_row = place.row * S::size, first_column = place.column * S::size;
  const int64_t begin = blockIdx.z * tiling.split.depth;
  const int depth = int(K - begin < tiling.split.depth ? K - begin : tiling.split.depth);
  // Lanes as 4 x 8, each with 4 x 4 sums in every quarter of the warp's 32 x 64.
  constexpr int warps_across = S::size / 64;
  const int row = warp() / warps_across * 32 + lane() / 8 * 4;
  const int column = warp() % warps_across * 64 + lane() % 8 * 4;

  Slice<S, left_along_k> next_left(left, first_row, begin, depth);
  Slice<S, right_along_k> next_right(right, first_column, begin, depth);
  next_left.load(left);
  next_right.load(right);
  next_left.store(lefts[0]);
  next_right.store(rights[0]);
  __syncthreads();
  float sums[8][8] = {};
  int half = 0;
  for (int k = 0; k < depth; k += S::depth) {
    const bool more = k + S::depth < depth;
    if (more) {
      next_left.load(left);
      next_right.load(right);
    }
    multiply<S>(sums, lefts[half], rights[half], row, column);
    half = 1 - half;
    if (more) {
      next_left.store(lefts[half]);
      next_right.store(rights[half]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 8; i++) {
#pragma unroll
    for (int j = 0; j < 8; j += 4) {
      const int64_t m = first_row + row + i / 4 * 16 + i % 4;
      const int64_t n = first_column + column + j / 4 * 32;
      const Values<4> four{sums[i][j], sums[i][j + 1], sums[i][j + 2], sums[i][j + 3]};
      if (m < end.M && n < end.N) end.put_some(four, m, n, blockIdx.z);
    }
  }
}

template <class S>
void launch_tiles(const Gemm<float>& g, const Tiling& tiling, const Epilogue<float, float>& end,
                  Stream stream) {
  const Operand<float> left = left_of(g), right = right_of(g);
  const auto kernel = left.along_k
                          ? right.along_k ? fma_kernel<S, true, true> : fma_kernel<S, true, false>
                      : right.along_k ? fma_kernel<S, false, true>
                                      : fma_kernel<S, false, false>;
  launch({"gemm_fma", tiling.grid(), S::threads, stream}, kernel, left, right, g.K, tiling, end);
}

}  // namespace

void multiply_tiles(const Gemm<float>& g, Stream stream) {
  const Tiling tiling(g.M, g.N, g.K, /*step=*/16);
  const Epilogue<float, float> end = epilogue_of(g, tiling.split.parts, stream);
  if (tiling.tile == Tiling::large) {
    launch_tiles<Shape<Tiling::large>>(g, tiling, end, stream);
  } else {
    launch_tiles<Shape<Tiling::small>>(g, tiling, end, stream);
  }
  sum_parts(end, tiling.split.parts, stream);
}

}  // namespace rlhf::gpu
