// The widest SIMD vector of this build, as GCC and Clang spell it without intrinsics, and loops
// unrolled by the template machinery (an array of accumulators stays in registers only then).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace rlhf::cpu {

#if defined(__AVX512F__)
inline constexpr size_t vector_bytes = 64;
#elif defined(__AVX__)
inline constexpr size_t vector_bytes = 32;
#else
inline constexpr size_t vector_bytes = 16;
#endif

template <class T>
struct VectorOf {
  using type [[gnu::vector_size(vector_bytes)]] = T;
  using unaligned [[gnu::vector_size(vector_bytes), gnu::aligned(sizeof(T)), gnu::may_alias]] = T;
};
template <class T>
using Vector = typename VectorOf<T>::type;

/// How many elements of T a vector holds.
template <class T>
inline constexpr int lanes = int(vector_bytes / sizeof(T));

/// Reads from any element's address.
template <class T>
[[gnu::always_inline]] inline Vector<T> load(const T* from) {
  return *reinterpret_cast<const typename VectorOf<T>::unaligned*>(from);
}

template <class T>
[[gnu::always_inline]] inline void store(T* to, Vector<T> value) {
  *reinterpret_cast<typename VectorOf<T>::unaligned*>(to) = value;
}

/// body(0), ..., body(count - 1), each with its number as a compile-time constant.
template <int count, class Body>
[[gnu::always_inline]] inline void unroll(Body&& body) {
  [&]<size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
    (body(std::integral_constant<int, int(i)>{}), ...);
  }
  (std::make_index_sequence<size_t(count)>{});
}

}  // namespace rlhf::cpu
