// The innermost loop of products with narrow weights: that of gemm_tile.h, but that a row of b is
// widened as it comes into registers. When one sequence is decoded it waits for memory anyway.
#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "kernels/cpu/support/gemm_tile.h"
#include "kernels/narrow_gemm.h"

namespace rlhf::cpu {

/// A row of a panel is widened in groups of 4 vectors, 16 columns apart, of either type.
inline constexpr int group_vectors = 4;
inline constexpr int group_apart = int(narrow_panel) / group_vectors;
template <class T>
constexpr int groups_of_panel = group_apart / lanes<T>;

/// Rows of a tile that is a group wide.
inline constexpr int narrow_rows = tile_registers / group_vectors;

/// How far ahead of itself a row of a panel asks for its bytes. The hardware foresees the stream,
/// but no further than to the end of a page of 4 KiB: a new one would begin with a wait.
inline constexpr int64_t ahead_bytes = 4096;

/// As many elements of E as a vector of T has.
template <class E, class T>
struct Beside {
  using type [[gnu::vector_size(sizeof(E) * lanes<T>)]] = E;
};

template <class T>
using Words = typename Beside<uint32_t, T>::type;

template <class T>
[[gnu::always_inline]] inline Words<T> load_words(const void* from) {
  Words<T> words;
  std::memcpy(&words, from, sizeof words);
  return words;
}

template <class T, class E>
[[gnu::always_inline]] inline Vector<T> convert_words(Words<T> words) {
  const auto values = std::bit_cast<typename Beside<E, T>::type>(words);
  if constexpr (std::is_same_v<E, T>) return values;
  return __builtin_convertvector(values, Vector<T>);
}

/// What widened elements, and their sums, are to be multiplied by: a power of 2, so that nothing is
/// rounded. Codes of int8 stay in the upper byte of a word with the lower ones behind it;
/// separate_codes takes these out of the sums.
template <class W>
constexpr float widened_unit = 1;
template <>
inline constexpr float widened_unit<int8_t> = 0x1p-24f;

/// Group g of the row at b: vector s of it are columns 16 s + lanes g and those behind it.
template <class T>
[[gnu::always_inline]] inline void widen(const int8_t* b, int g, Vector<T>* out) {
  const Words<T> words = load_words<T>(b + 4 * g * lanes<T>);
  out[0] = convert_words<T, int32_t>(words << 24);
  out[1] = convert_words<T, int32_t>(words << 16);
  out[2] = convert_words<T, int32_t>(words << 8);
  out[3] = convert_words<T, int32_t>(words);
}
template <class T>
[[gnu::always_inline]] inline void widen(const bf16* b, int g, Vector<T>* out) {
  const Words<T> even = load_words<T>(b + 2 * g * lanes<T>);
  const Words<T> odd = load_words<T>(b + 2 * (group_apart + g * lanes<T>));
  out[0] = convert_words<T, float>(even << 16);
  out[1] = convert_words<T, float>(odd << 16);
  out[2] = convert_words<T, float>(even & 0xffff0000);
  out[3] = convert_words<T, float>(odd & 0xffff0000);
}

/// Takes out of the sums of a panel's columns [0, columns) what the codes behind theirs have added.
template <class T>
inline void separate_codes(T* out, int64_t columns) {
  for (int64_t n = columns - 1; n >= group_apart; n--) out[n] -= out[n - group_apart] * T(0x1p-8);
}

/// How many groups so many rows take at once: as many as there are registers for.
template <class T>
constexpr int groups_at_once(int rows) {
  int groups = groups_of_panel<T>;
  while (groups > 1 && groups * group_vectors * rows > tile_registers) groups /= 2;
  return groups;
}

/// tile.out = tile.a . the panel at b, all columns of it, in widened units. Of the tile it reads
/// out, a and their rows, and K.
template <class T, class W, int rows>
[[gnu::noinline]] void multiply_narrow(const Tile<T>& tile, const W* b) {
  constexpr int groups = groups_at_once<T>(rows), vectors = groups * group_vectors;
  for (int first = 0; first < groups_of_panel<T>; first += groups) {
    Vector<T> sum[rows * vectors] = {};
    const T* a = tile.a;
    const W* at = b;
    for (int64_t k = tile.K; k > 0; k--, a++, at += narrow_panel) {
      Vector<T> b_row[vectors];
      unroll<int(sizeof(W))>([&](auto line) __attribute__((always_inline)) {
        __builtin_prefetch(reinterpret_cast<const char*>(at) + ahead_bytes + 64 * line);
      });
      unroll<groups>([&](auto g) { widen<T>(at, first + g, b_row + g * group_vectors); });
      unroll<rows>([&](auto i) {
        const T element = a[i * tile.a_row];
        unroll<vectors>([&](auto j) { sum[i * vectors + j] += element * b_row[j]; });
      });
    }
    unroll<rows * vectors>([&](auto n) {
      constexpr int j = n % vectors;
      T* const out = tile.out + n / vectors * tile.out_row + j % group_vectors * group_apart;
      store(out + (first + j / group_vectors) * lanes<T>, sum[n]);
    });
  }
}

template <class T, class W>
using NarrowKernel = void (*)(const Tile<T>&, const W*);

/// multiply_narrow for 1 <= rows <= narrow_rows known at run time.
template <class T, class W>
NarrowKernel<T, W> narrow_kernel(int64_t rows) {
  static constexpr auto kernels = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<NarrowKernel<T, W>, sizeof...(n)>{multiply_narrow<T, W, int(n) + 1>...};
  }
  (std::make_index_sequence<narrow_rows>{});
  return kernels[size_t(rows - 1)];
}

/// A row of a panel into memory, by columns.
template <class T, class W>
[[gnu::always_inline]] inline void widen_row(const W* b, T* out) {
  unroll<groups_of_panel<T>>([&](auto g) {
    Vector<T> group[group_vectors];
    widen<T>(b, g, group);
    unroll<group_vectors>([&](auto s) { store(out + s * group_apart + g * lanes<T>, group[s]); });
  });
}

/// multiply_tile of a group's width, for 1 <= rows <= narrow_rows known at run time.
template <class T>
TileKernel<T> widened_kernel(int64_t rows) {
  static constexpr auto kernels = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<T>, sizeof...(n)>{multiply_tile<T, int(n) + 1, group_vectors>...};
  }
  (std::make_index_sequence<narrow_rows>{});
  return kernels[size_t(rows - 1)];
}

}  // namespace rlhf::cpu
