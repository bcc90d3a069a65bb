// Tiles of one head between global and shared memory: rows a stride apart, asynchronously and 16
// bytes at a time where the caller's memory allows it, element by element otherwise.
#pragma once

#include "kernels/attention.h"
#include "kernels/cuda/support/attention_operand.h"

namespace rlhf::gpu {

/// One head's rows in global memory.
template <class T>
struct HeadRows {
  T* data;         ///< row 0
  int64_t stride;  ///< elements from row to row
  int width;       ///< the head size
  bool packs;      ///< whether every row may be read 16 bytes at a time

  __device__ T* row(int64_t i) const { return data + i * stride; }
};

/// The rows of head h of sequence b, for the query side and for the key side.
template <class T>
__device__ HeadRows<T> query_rows(T* q, const AttentionLayout& l, int64_t b, int64_t h,
                                  bool packs) {
  return {q + b * l.q_batch + h * l.D, l.q_token, int(l.D), packs};
}
template <class T>
__device__ HeadRows<T> key_rows(T* k, const AttentionLayout& l, int64_t b, int64_t h, bool packs) {
  return {k + l.kv_at(b) + h * l.D, l.kv_token, int(l.D), packs};
}
/// The same of a dense (B, Tq, H*D): out and its gradient.
template <class T>
__device__ HeadRows<T> dense_rows(T* out, const AttentionLayout& l, int64_t b, int64_t h,
                                  bool packs) {
  return {out + (b * l.Tq * l.H + h) * l.D, l.H * l.D, int(l.D), packs};
}

/// Whether all of a contract's tensors may be moved 16 bytes at a time.
template <class T, class... More>
bool attention_packs(const AttentionLayout& l, const T* first, const More*... more) {
  constexpr int64_t pack = Pack<T>::size;
  const bool whole = l.D % pack == 0 && l.q_token % pack == 0 && l.q_batch % pack == 0 &&
                     l.kv_token % pack == 0 && l.kv_batch % pack == 0;
  return whole && packable(first, more...);
}

/// Starts to load rows [first, first + rows) into the tile, by the whole block; those outside of
/// [from, to), and columns beyond the width, are 0. They are there after copy_async_wait() and a
/// barrier.
template <int rows, int threads, class T, int depth>
__device__ inline void load_rows(const OperandTile<T, depth>& tile, const HeadRows<const T>& in,
                                 int first, int from, int to) {
  using Tile = OperandTile<T, depth>;
  if (in.packs) {
    // Not unrolled: the loop would hold an address for every step, and registers are short.
    if constexpr (threads % Tile::chunks == 0) {
      constexpr int step = threads / Tile::chunks;
      const int chunk = int(threadIdx.x) % Tile::chunks, row = int(threadIdx.x) / Tile::chunks;
      if (chunk * Tile::chunk_size >= in.width) to = from;
      const T* at = in.row(first + row) + chunk * Tile::chunk_size;
#pragma unroll 1
      for (int r = row; r < rows; r += step) {
        const bool inside = first + r >= from && first + r < to;
        copy_async(tile.chunk(r, chunk), inside ? at : in.data, inside);
        at += step * in.stride;
      }
    } else {
#pragma unroll 1
      for (int i = int(threadIdx.x); i < rows * Tile::chunks; i += threads) {
        const int r = i / Tile::chunks, chunk = i % Tile::chunks;
        const bool inside =
            first + r >= from && first + r < to && chunk * Tile::chunk_size < in.width;
        const T* const at = in.row(first + r) + chunk * Tile::chunk_size;
        copy_async(tile.chunk(r, chunk), inside ? at : in.data, inside);
      }
    }
  } else {
#pragma unroll 1
    for (int i = int(threadIdx.x); i < rows * depth; i += threads) {
      const int r = i / depth, column = i % depth;
      const bool inside = first + r >= from && first + r < to && column < in.width;
      tile.at(r, column) = inside ? in.row(first + r)[column] : T(0.0f);
    }
  }
}

/// Rows [first, first + 16 * blocks) of the result, each times its factor, by one warp: through the
/// tile's rows from `at` on, which the warp alone uses, so that whole packs leave it. Rows from
/// `to` on do not exist. `factor(block, half)` is that of row 16 * block + 8 * half + lane / 4.
template <class T, int depth, int blocks, class Factor>
__device__ inline void store_rows(const HeadRows<T>& out, int first, int to,
                                  Fragments<blocks, depth>& values, const Factor& factor,
                                  const OperandTile<T, depth>& tile, int at) {
  using Tile = OperandTile<T, depth>;
  __syncwarp();
  values.for_each([&](float value, int m, int n, int v) {
    tile.at(at + m * 16 + fragment_row(v), n * 8 + fragment_column(v)) =
        T(value * factor(m, v / 2));
  });
  __syncwarp();
  if (out.packs) {
#pragma unroll
    for (int i = lane(); i < 16 * blocks * Tile::chunks; i += warp_size) {
      const int r = i / Tile::chunks, chunk = i % Tile::chunks;
      if (first + r >= to || chunk * Tile::chunk_size >= out.width) continue;
      store_pack(out.row(first + r) + chunk * Tile::chunk_size,
                 load_pack(tile.chunk(at + r, chunk)));
    }
  } else {
#pragma unroll 1
    for (int i = lane(); i < 16 * blocks * depth; i += warp_size) {
      const int r = i / depth, column = i % depth;
      if (first + r < to && column < out.width) {
        out.row(first + r)[column] = tile.at(at + r, column);
      }
    }
  }
}

}  // namespace rlhf::gpu
