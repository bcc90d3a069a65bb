// Products of bf16 by tensor cores: slices of both factors travel to shared memory asynchronously,
// two ahead of the one that is multiplied, and lie there as they lay; ldmatrix turns what must be
// turned. Four warps share a tile, each a quarter of it in registers (64 x 64 of 128 x 128: fewer
// would make shared memory the limit).
#include "kernels/cuda/support/gemm_product.h"
#include "kernels/cuda/support/shared_tile.h"

namespace rlhf::gpu {
namespace {

constexpr int depth = 64;  // of a slice
constexpr int stages = 3;
constexpr int threads = 4 * warp_size;

/// Moves slices (size, depth) of one factor to shared memory: rows of k (size, depth) when it is
/// contiguous along k, else (depth, size).
template <int size, bool along_k>
class Slice {
 public:
  static constexpr int columns = along_k ? depth : size;
  using Tile = SharedTile<columns>;
  static constexpr int elements = size * depth;

  __device__ Slice(const Operand<bf16>& factor, int64_t first, int64_t k, int k_count)
      : row_(int(threadIdx.x) / Tile::chunks),
        chunk_(int(threadIdx.x) % Tile::chunks),
        from_(factor.at(first + (along_k ? row_ : chunk_ * 8), k + (along_k ? chunk_ * 8 : row_))) {
    const int rows = int(factor.extent - first < size ? factor.extent - first : size);
    across_left_ = (along_k ? k_count : rows) - chunk_ * 8;
    down_left_ = (along_k ? rows : k_count) - row_;
  }

  /// Starts the copies of the slice that comes next.
  __device__ void copy(const Operand<bf16>& factor, Tile to) {
#pragma unroll
    for (int p = 0; p < size * depth / 8 / threads; p++) {
      const int row = p * rows_at_once;
      const int left = down_left_ > row ? across_left_ : 0;
      bf16* const chunk = to.chunk(row_ + row, chunk_);
      const bf16* const from = from_ + row * factor.stride;
      if (factor.packs) {
        copy_async_first(chunk, left > 0 ? from : factor.data, left < 0 ? 0 : left < 8 ? left : 8);
      } else {
        Pack<bf16> pack;
#pragma unroll
        for (int e = 0; e < 8; e++) pack[e] = e < left ? from[e] : bf16(0.0f);
        store_pack(chunk, pack);
      }
    }
    (along_k ? across_left_ : down_left_) -= depth;
    from_ += along_k ? depth : depth * factor.stride;
  }

 private:
  static constexpr int rows_at_once = threads / Tile::chunks;

  int row_, chunk_;  ///< the thread's first place in a slice
  const bf16* from_;
  int across_left_, down_left_;  ///< of the factor, from that place
};

/// 16 of k of a warp's quarter, in registers.
template <int blocks>
struct Fragments {
  FragmentA a[blocks];
  FragmentB b[blocks][2];
};

template <int size, bool left_along_k, bool right_along_k, class Left, class Right>
__device__ void load_fragments(Fragments<size / 32>& f, Left left, Right right, int row, int column,
                               int k) {
#pragma unroll
  for (int i = 0; i < size / 32; i++) {
    f.a[i] = left_along_k ? left.a(row + i * 16, k) : left.a_transposed(k, row + i * 16);
    if constexpr (right_along_k) {
      right.b_transposed(f.b[i], column + i * 16, k);
    } else {
      right.b(f.b[i], k, column + i * 16);
    }
  }
}

template <class Out, int size, bool left_along_k, bool right_along_k>
__global__ void __launch_bounds__(threads)
    mma_kernel(Operand<bf16> left, Operand<bf16> right, int64_t K, Tiling tiling,
               Epilogue<bf16, Out> end) {
  using Left = Slice<size, left_along_k>;
  using Right = Slice<size, right_along_k>;
  constexpr int blocks = size / 32;  // of 16 x 16 in a quarter's side
  bf16* const shared = dynamic_shared<bf16>();
  const auto left_at = [=](int stage) {
    return typename Left::Tile{shared + stage % stages * 2 * Left::elements};
  };
  const auto right_at = [=](int stage) {
    return typename Right::Tile{shared + (stage % stages * 2 + 1) * Left::elements};
  };
  const TilePlace place(blockIdx.x, tiling.rows, tiling.columns);
  const int64_t first_row = place.row * size, first_column = place.column * size;
  const int64_t begin = blockIdx.z * tiling.split.depth;
  const int span = int(K - begin < tiling.split.depth ? K - begin : tiling.split.depth);
  const int slices = (span + depth - 1) / depth;
  const int row = warp() / 2 * (size / 2), column = warp() % 2 * (size / 2);

  Left next_left(left, first_row, begin, span);
  Right next_right(right, first_column, begin, span);
  const auto copy = [&](int slice) {
    if (slice < slices) {
      next_left.copy(left, left_at(slice));
      next_right.copy(right, right_at(slice));
    }
    copy_async_commit();
  };
  for (int slice = 0; slice < stages - 1; slice++) copy(slice);
  FragmentC sums[blocks][blocks][2] = {};
  for (int slice = 0; slice < slices; slice++) {
    copy_async_wait<stages - 2>();
    __syncthreads();
    copy(slice + stages - 1);  // where the slice was that all have multiplied
    Fragments<blocks> fragments[2];
    load_fragments<size, left_along_k, right_along_k>(fragments[0], left_at(slice), right_at(slice),
                                                      row, column, 0);
#pragma unroll
    for (int k = 0; k < depth; k += 16) {
      if (k + 16 < depth) {
        load_fragments<size, left_along_k, right_along_k>(
            fragments[(k / 16 + 1) % 2], left_at(slice), right_at(slice), row, column, k + 16);
      }
      const Fragments<blocks>& f = fragments[k / 16 % 2];
#pragma unroll
      for (int i = 0; i < blocks; i++) {
#pragma unroll
        for (int j = 0; j < blocks; j++) {
          mma(sums[i][j][0], f.a[i], f.b[j][0]);
          mma(sums[i][j][1], f.a[i], f.b[j][1]);
        }
      }
    }
  }
  copy_async_wait<0>();
  __syncthreads();

  // Through shared memory to rows of `out`, which are written 16 bytes at a time.
  constexpr int stride = size + 8;  // no bank twice
  float* const tile = reinterpret_cast<float*>(shared);
#pragma unroll
  for (int i = 0; i < blocks; i++) {
#pragma unroll
    for (int j = 0; j < 2 * blocks; j++) {
      const FragmentC& c = sums[i][j / 2][j % 2];
      float* const to =
          tile + (row + i * 16 + lane() / 4) * stride + column + j * 8 + lane() % 4 * 2;
      to[0] = c.values[0], to[1] = c.values[1];
      to[8 * stride] = c.values[2], to[8 * stride + 1] = c.values[3];
    }
  }
  __syncthreads();
  constexpr int width = Epilogue<bf16, Out>::width;
  for (int i = int(threadIdx.x) * width; i < size * size; i += threads * width) {
    const int64_t m = first_row + i / size, n = first_column + i % size;
    const Values<width> sums = load<width>(tile + i / size * stride + i % size);
    if (m < end.M && n < end.N) end.put_some(sums, m, n, blockIdx.z);
  }
}

template <int size, class Out>
void launch_tiles(const Gemm<bf16, Out>& g, const Tiling& tiling, const Epilogue<bf16, Out>& end,
                  Stream stream) {
  const Operand<bf16> left = left_of(g), right = right_of(g);
  const auto kernel = left.along_k    ? right.along_k ? mma_kernel<Out, size, true, true>
                                                      : mma_kernel<Out, size, true, false>
                         : right.along_k ? mma_kernel<Out, size, false, true>
                                      : mma_kernel<Out, size, false, false>;
  constexpr size_t bytes =
      std::max(stages * 2 * size * depth * sizeof(bf16), size * (size + 8) * sizeof(float));
  launch({"gemm_mma", tiling.grid(), threads, stream, bytes}, kernel, left, right, g.K, tiling,
         end);
}

template <class Out>
void multiply(const Gemm<bf16, Out>& g, Stream stream) {
  const Tiling tiling(g.M, g.N, g.K, depth);
  const Epilogue<bf16, Out> end = epilogue_of(g, tiling.split.parts, stream);
  if (tiling.tile == Tiling::large) {
    launch_tiles<Tiling::large>(g, tiling, end, stream);
  } else {
    launch_tiles<Tiling::small>(g, tiling, end, stream);
  }
  sum_parts(end, tiling.split.parts, stream);
}

}  // namespace

void multiply_tiles(const Gemm<bf16>& g, Stream stream) { multiply(g, stream); }
void multiply_tiles(const Gemm<bf16, float>& g, Stream stream) { multiply(g, stream); }

}  // namespace rlhf::gpu
