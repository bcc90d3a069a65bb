// Products of small matrices whose left factor has a handful of rows: what attention is made of. An
// element is one chain of multiply-adds in the order of the summed index, so its bits do not depend
// on the tile it falls into.
#pragma once

#include <algorithm>
#include <array>

#include "kernels/cpu/support/gemm_tile.h"

namespace rlhf::cpu {

/// How many rows one register tile takes; callers gain by passing so many.
inline constexpr int64_t product_rows = 4;
inline constexpr int product_vectors = vector_bytes == 64 ? 4 : 2;

/// The smallest multiple of the vector length that holds `n` elements.
template <class T>
constexpr int64_t padded(int64_t n) {
  return (n + lanes<T> - 1) / lanes<T> * lanes<T>;
}

/// tile.out (rows, columns) = tile.a (rows, K) . tile.b (K, columns) [+ tile.out]
/// REQUIRES: rows <= product_rows; columns a multiple of the vector length.
template <class T>
void tile_product(Tile<T> tile, int64_t rows, int64_t columns) {
  static constexpr auto kernels = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<T>, sizeof...(n)>{
        multiply_tile<T, int(n) / product_vectors + 1, int(n) % product_vectors + 1, T>...};
  }
  (std::make_index_sequence<product_rows * product_vectors>{});
  for (int64_t vectors = columns / lanes<T>; vectors > 0; vectors -= product_vectors) {
    const int64_t width = std::min<int64_t>(vectors, product_vectors);
    kernels[size_t((rows - 1) * product_vectors + width - 1)](tile);
    tile.out += product_vectors * lanes<T>;
    tile.b += product_vectors * lanes<T>;
    if (tile.ahead) tile.ahead += product_vectors * lanes<T>;
  }
}

/// The same for one row and a b that lies transposed, b(k, j) = b[j * b_stride + k], in place.
/// Writes whole vectors: what is past `tile.columns` is arbitrary.
template <class T>
void row_product_transposed(Tile<T> tile) {
  for (; tile.columns > 0; tile.columns -= lanes<T>) {
    multiply_transposed<T, 1>(tile);
    tile.out += lanes<T>;
    tile.b += lanes<T> * tile.b_stride;
    if (tile.ahead) tile.ahead += lanes<T> * tile.ahead_j;
  }
}

}  // namespace rlhf::cpu
