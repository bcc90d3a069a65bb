// The two products that attention is made of, for one warp: scores of its rows against a tile of
// columns, and sums of a tile's rows weighted by what the scores became, which never left the
// registers. bf16 runs on tensor cores; float, with the same lanes holding the same elements, on
// multiply-adds: every kernel above is one text for both.
#pragma once

#include "kernels/cuda/support/shared_tile.h"

namespace rlhf::gpu {

/// Rows of `depth` elements in shared memory: queries, keys, values or gradients of one head. depth
/// is the head size rounded up to a size that kernels are compiled for; what is beyond is 0.
template <class T, int depth>
struct OperandTile;

template <int depth>
struct OperandTile<bf16, depth> : SharedTile<depth> {
  static constexpr int stride = depth;
};

/// Rows are 4 floats longer than a multiple of 32, so that 8 rows' same 16 bytes cover all banks.
template <int depth>
struct OperandTile<float, depth> {
  static constexpr int chunk_size = 4, chunks = depth / chunk_size, stride = depth + 4;
  static constexpr int64_t size(int64_t rows) { return rows * stride; }

  float* data;

  __device__ float* chunk(int row, int chunk) const {
    return data + row * stride + chunk * chunk_size;
  }
  __device__ float& at(int row, int column) const { return data[row * stride + column]; }
};

/// Where lane l's four elements of a C (16, 8) are: rows g and g + 8, columns 2t and 2t + 1.
__device__ inline int fragment_row(int value) { return lane() / 4 + value / 2 * 8; }
__device__ inline int fragment_column(int value) { return lane() % 4 * 2 + value % 2; }

/// A warp's rows of C, `blocks` times 16, and its columns: lane l's part.
template <int blocks, int columns>
struct Fragments {
  FragmentC of[blocks][columns / 8];

  /// body(fragment, block, column block).
  template <class Body>
  __device__ void for_each_fragment(const Body& body) {
#pragma unroll
    for (int m = 0; m < blocks; m++) {
#pragma unroll
      for (int n = 0; n < columns / 8; n++) body(of[m][n], m, n);
    }
  }
  /// body(value, block, column block, value's number): rows and columns follow from the last three.
  /// Row after row, so that what belongs to a row need not be held for all of them.
  template <class Body>
  __device__ void for_each(const Body& body) {
#pragma unroll
    for (int m = 0; m < blocks; m++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
#pragma unroll
        for (int n = 0; n < columns / 8; n++) {
          body(of[m][n].values[2 * half], m, n, 2 * half);
          body(of[m][n].values[2 * half + 1], m, n, 2 * half + 1);
        }
      }
    }
  }
  __device__ void clear() {
    for_each([](float& value, int, int, int) { value = 0; });
  }
};

/// A warp's rows [row, row + 16 * blocks) of a tile, as left operand; `resident`: in registers.
template <class T, int depth, int blocks, bool resident>
class LeftOperand;

template <int depth, int blocks, bool resident>
class LeftOperand<bf16, depth, blocks, resident> {
 public:
  __device__ LeftOperand(const OperandTile<bf16, depth>& tile, int row) : tile_(tile), row_(row) {
    if constexpr (resident) {
#pragma unroll
      for (int m = 0; m < blocks; m++) {
#pragma unroll
        for (int k = 0; k < depth / 16; k++) held_[m][k] = tile_.a(row_ + m * 16, k * 16);
      }
    }
  }
  __device__ FragmentA a(int block, int k) const {
    if constexpr (resident) return held_[block][k];
    return tile_.a(row_ + block * 16, k * 16);
  }

 private:
  OperandTile<bf16, depth> tile_;
  int row_;
  FragmentA held_[resident ? blocks : 1][resident ? depth / 16 : 1];
};

template <int depth, int blocks, bool resident>
class LeftOperand<float, depth, blocks, resident> {
 public:
  __device__ LeftOperand(const OperandTile<float, depth>& tile, int row) : tile_(tile), row_(row) {}
  __device__ Pack<float> pack(int block, int half, int k) const {
    return load_pack(tile_.chunk(row_ + block * 16 + half * 8 + lane() / 4, k));
  }

 private:
  OperandTile<float, depth> tile_;
  int row_;
};

/// scores = left right^T, right being the tile's first `columns` rows.
template <int depth, int blocks, int columns, bool resident>
__device__ inline void multiply_transposed(Fragments<blocks, columns>& scores,
                                           const LeftOperand<bf16, depth, blocks, resident>& left,
                                           const OperandTile<bf16, depth>& right) {
  scores.clear();
#pragma unroll
  for (int k = 0; k < depth / 16; k++) {
    FragmentA a[blocks];
#pragma unroll
    for (int m = 0; m < blocks; m++) a[m] = left.a(m, k);
#pragma unroll
    for (int n = 0; n < columns / 16; n++) {
      FragmentB b[2];
      right.b_transposed(b, n * 16, k * 16);
#pragma unroll
      for (int m = 0; m < blocks; m++) {
        mma(scores.of[m][2 * n], a[m], b[0]);
        mma(scores.of[m][2 * n + 1], a[m], b[1]);
      }
    }
  }
}

template <int depth, int blocks, int columns, bool resident>
__device__ inline void multiply_transposed(Fragments<blocks, columns>& scores,
                                           const LeftOperand<float, depth, blocks, resident>& left,
                                           const OperandTile<float, depth>& right) {
  scores.clear();
#pragma unroll 1
  for (int k = 0; k < depth / 4; k++) {
    Pack<float> a[blocks][2];
#pragma unroll
    for (int m = 0; m < blocks; m++) a[m][0] = left.pack(m, 0, k), a[m][1] = left.pack(m, 1, k);
#pragma unroll
    for (int n = 0; n < columns / 8; n++) {
      const Pack<float> b[2] = {load_pack(right.chunk(n * 8 + fragment_column(0), k)),
                                load_pack(right.chunk(n * 8 + fragment_column(1), k))};
#pragma unroll
      for (int m = 0; m < blocks; m++) {
#pragma unroll
        for (int v = 0; v < 4; v++) {
#pragma unroll
          for (int i = 0; i < 4; i++) scores.of[m][n].values[v] += a[m][v / 2][i] * b[v % 2][i];
        }
      }
    }
  }
}

/// sums += weights right, right being the tile's first `columns` rows.
template <int depth, int blocks, int columns>
__device__ inline void multiply(Fragments<blocks, depth>& sums,
                                const Fragments<blocks, columns>& weights,
                                const OperandTile<bf16, depth>& right) {
#pragma unroll
  for (int k = 0; k < columns / 16; k++) {
    FragmentA a[blocks];
#pragma unroll
    for (int m = 0; m < blocks; m++) {
#pragma unroll
      for (int w = 0; w < 4; w++) {
        const float* const pair = weights.of[m][2 * k + w / 2].values + w % 2 * 2;
        a[m].words[w] = pack_bf16(pair[0], pair[1]);
      }
    }
#pragma unroll
    for (int n = 0; n < depth / 16; n++) {
      FragmentB b[2];
      right.b(b, k * 16, n * 16);
#pragma unroll
      for (int m = 0; m < blocks; m++) {
        mma(sums.of[m][2 * n], a[m], b[0]);
        mma(sums.of[m][2 * n + 1], a[m], b[1]);
      }
    }
  }
}

template <int depth, int blocks, int columns>
__device__ inline void multiply(Fragments<blocks, depth>& sums,
                                const Fragments<blocks, columns>& weights,
                                const OperandTile<float, depth>& right) {
#pragma unroll
  for (int n = 0; n < columns / 8; n++) {
#pragma unroll
    for (int k = 0; k < 8; k++) {
      const int holder = lane() / 4 * 4 + k / 2;  // of this lane's rows' weights in column k
      float a[blocks][2];
#pragma unroll
      for (int m = 0; m < blocks; m++) {
        a[m][0] = __shfl_sync(full_mask, weights.of[m][n].values[k % 2], holder);
        a[m][1] = __shfl_sync(full_mask, weights.of[m][n].values[k % 2 + 2], holder);
      }
      const float* const row = &right.at(n * 8 + k, fragment_column(0));
#pragma unroll
      for (int d = 0; d < depth / 8; d++) {
        const float b[2] = {row[d * 8], row[d * 8 + 1]};
#pragma unroll
        for (int m = 0; m < blocks; m++) {
#pragma unroll
          for (int v = 0; v < 4; v++) sums.of[m][d].values[v] += a[m][v / 2] * b[v % 2];
        }
      }
    }
  }
}

}  // namespace rlhf::gpu
