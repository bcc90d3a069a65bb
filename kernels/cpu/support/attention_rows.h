// What the forward and the backward of attention share: the sizes of their blocks, the spans of
// keys that rows see within a block, copies of operands in register-friendly layouts, dropout.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/attention.h"
#include "kernels/cpu/support/tile_product.h"
#include "kernels/cpu/support/transpose.h"

namespace rlhf::cpu {

inline constexpr int64_t block_keys = 64;
inline constexpr int64_t block_queries = 64;

/// The keys [begin, end) of a block, counted from the block's first.
struct KeySpan {
  int64_t begin, end;
};

/// What query (b, i) sees of the `keys` keys from `first_key` on; begin >= end when nothing.
inline KeySpan visible(const AttentionLayout& layout, int64_t b, int64_t i, int64_t first_key,
                       int64_t keys) {
  return {std::max<int64_t>(layout.first_key(b, i) - first_key, 0),
          std::min<int64_t>(layout.last_key(b, i) - first_key, keys)};
}

/// out (rows, padded(columns)) = in, zeros in the padding.
template <class T>
void pack(T* out, const T* in, int64_t in_stride, int64_t rows, int64_t columns) {
  const int64_t stride = padded<T>(columns);
  for (int64_t r = 0; r < rows; r++) {
    std::copy_n(in + r * in_stride, columns, out + r * stride);
    std::fill(out + r * stride + columns, out + (r + 1) * stride, T(0));
  }
}

/// out (columns, block_keys) = transpose of in (rows, columns), with zeros up to padded(rows).
/// REQUIRES: rows <= block_keys.
template <class T>
void pack_transposed(T* out, const T* in, int64_t in_stride, int64_t rows, int64_t columns) {
  constexpr int W = lanes<T>;
  for (int64_t r = 0; r < rows; r += W) {
    for (int64_t c = 0; c < columns; c += W) {
      const int64_t height = std::min<int64_t>(W, rows - r);
      const int64_t width = std::min<int64_t>(W, columns - c);
      const T* const corner = in + r * in_stride + c;
      Vector<T> square[W];
      if (height == W && width == W) {
        unroll<W>([&](auto i) { square[i] = load(corner + i * in_stride); });
      } else {
        std::fill_n(square, W, Vector<T>{});
        for (int64_t i = 0; i < height; i++) {
          std::memcpy(&square[i], corner + i * in_stride, size_t(width) * sizeof(T));
        }
      }
      transpose<T>(square);
      for (int64_t i = 0; i < width; i++) store(out + (c + i) * block_keys + r, square[i]);
    }
  }
}

/// Copies rows of padded(columns) elements to where they belong.
template <class T>
void unpack(T* out, int64_t out_stride, const T* in, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++) {
    std::copy_n(in + r * padded<T>(columns), columns, out + r * out_stride);
  }
}

/// body(j, j % lanes) for j in [0, count), count a multiple of the vector length: a loop without a
/// tail. Indices are 32 bits wide, as floats are, because bodies compare them lane by lane.
template <class T, class Body>
[[gnu::always_inline]] inline void for_each_lane(int count, Body&& body) {
  for (int first = 0; first < count; first += lanes<T>) {
#pragma omp simd
    for (int lane = 0; lane < lanes<T>; lane++) body(first + lane, lane);
  }
}

/// Combines the lanes of a vector, halves with halves.
template <class T, int half = lanes<T> / 2, class Combine>
[[gnu::always_inline]] inline T fold(Vector<T> x, const Combine& combine) {
  if constexpr (half == 0) {
    return x[0];
  } else {
    const Vector<T> other = [&]<size_t... lane>(std::index_sequence<lane...>) {
      return __builtin_shufflevector(x, x, (int(lane) + half) % lanes<T>...);
    }
    (std::make_index_sequence<size_t(lanes<T>)>{});
    return fold<T, half / 2>(combine(x, other), combine);
  }
}

/// The sum of `count` values, a multiple of the vector length, lane by lane and then over the
/// lanes. Zeros at the end change nothing: a shorter row padded to any length has the same sum.
template <class T>
T vector_sum(const T* values, int64_t count) {
  Vector<T> sum{};
  for (int64_t i = 0; i < count; i += lanes<T>) sum += load(values + i);
  return fold<T>(sum, [](Vector<T> x, Vector<T> y) { return x + y; });
}

/// The factors of a row's probabilities for the keys [first_key + span.begin, first_key +
/// span.end): 0 with probability `dropout`, 1 / (1 - dropout) otherwise.
template <class T, class Contract>
void dropout_factors(T* factor, const Contract& c, int64_t b, int64_t h, int64_t i,
                     int64_t first_key, KeySpan span) {
  const AttentionLayout& l = c.layout;
  const uint64_t row = uint64_t(((b * l.H + h) * l.Tq + i) * l.Tk + first_key);
  const T keep = T(1) / (T(1) - T(c.dropout));
  for (int64_t j = span.begin; j < span.end; j++) {
    factor[j] = c.random.uniform(row + uint64_t(j)) >= c.dropout ? keep : T(0);
  }
}

}  // namespace rlhf::cpu
