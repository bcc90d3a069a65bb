// How attention is cut into blocks that fit this GPU, and how heads of any size reach kernels that
// are compiled for a few sizes.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>

#include "kernels/cuda/support/gpu.h"

namespace rlhf::gpu {

/// How a block divides its work. `blocks`: 16 rows each, of a warp; with two of them an operand
/// that was loaded from shared memory is used twice, which is what keeps tensor cores from waiting
/// for it. `stages`: how many tiles of keys and values fit; with one, loading and computing take
/// turns.
template <int warps_, int blocks_, int columns_, int stages_, bool resident_>
struct TileShape {
  static constexpr int warps = warps_, blocks = blocks_, columns = columns_, stages = stages_;
  static constexpr bool resident = resident_;
  static constexpr int threads = warps * 32, warp_rows = 16 * blocks;
  static constexpr int rows = warps * warp_rows;
};

/// Shapes for one kernel, from the fastest to the one that needs least shared memory.
template <class... Shapes>
struct ShapeList {};

/// At most so many bytes of static arrays has a block beside its tiles.
inline constexpr size_t static_shared_bytes = 1536;

/// Calls body(shape) with the first shape whose tiles, of bytes_of(shape), this GPU has room for;
/// every GPU has room for the last.
template <class First, class... Rest, class BytesOf, class Body>
void with_shape(ShapeList<First, Rest...>, const BytesOf& bytes_of, const Body& body) {
  constexpr size_t bytes = BytesOf{}(First{}) + static_shared_bytes;
  if constexpr (sizeof...(Rest) == 0) {
    static_assert(bytes <= least_shared_limit);
    body(First{});
  } else if (bytes <= shared_limit()) {
    body(First{});
  } else {
    with_shape(ShapeList<Rest...>{}, bytes_of, body);
  }
}

/// Calls body with the smallest size that kernels are compiled for and that holds D elements, an
/// std::integral_constant: 32, 64, 128, 256, and between them 96 for bf16.
template <class T, class Body>
void with_depth(int64_t D, const Body& body) {
  if (D <= 32) return body(std::integral_constant<int, 32>{});
  if (D <= 64) return body(std::integral_constant<int, 64>{});
  if constexpr (std::is_same_v<T, bf16>) {
    if (D <= 96) return body(std::integral_constant<int, 96>{});
  }
  if (D <= 128) return body(std::integral_constant<int, 128>{});
  if (D <= 256) return body(std::integral_constant<int, 256>{});
  throw std::invalid_argument("[attention] expected heads of at most 256 elements, got " +
                              std::to_string(D));
}

}  // namespace rlhf::gpu
