// Reading a matrix that is stored the other way round: squares of it are loaded along its rows and
// turned in registers.
#pragma once

#include <algorithm>

#include "kernels/cpu/support/gemm_operand.h"
#include "kernels/cpu/support/vector.h"

namespace rlhf::cpu {

/// One half of the units of x followed by y, those of even or those of odd number, within every
/// stretch of `span` elements: with the spans used here, a single instruction on x86.
template <class T, int unit, int span, bool odd>
[[gnu::always_inline]] inline Vector<T> every_other(Vector<T> x, Vector<T> y) {
  constexpr auto source = [](int lane) {
    const int position = 2 * (lane % span / unit) + (odd ? 1 : 0);
    const int past_x = position >= span / unit ? lanes<T> - span : 0;
    return lane / span * span + position * unit + past_x + lane % unit;
  };
  return [&]<size_t... lane>(std::index_sequence<lane...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(x, y, source(int(lane))...);
  }
  (std::make_index_sequence<size_t(lanes<T>)>{});
}

/// Transposes the square of units formed by the vectors row[0], row[step], row[2 step], ...: log2
/// of their number times, even halves to the front and odd halves to the back.
template <class T, int unit, int span, int step>
[[gnu::always_inline]] inline void transpose_units(Vector<T>* row) {
  constexpr int count = span / unit;
  constexpr int stages = count == 4 ? 2 : 1;
  static_assert(count == 2 || count == 4);
  unroll<stages>([&](auto) {
    Vector<T> next[count];
    unroll<count / 2>([&](auto i) {
      const Vector<T> x = row[2 * i * step], y = row[(2 * i + 1) * step];
      next[i] = every_other<T, unit, span, false>(x, y);
      next[i + count / 2] = every_other<T, unit, span, true>(x, y);
    });
    unroll<count>([&](auto i) { row[i * step] = next[i]; });
  });
}

/// Transposes a square of vectors: elements within 128-bit lanes, then whole lanes.
template <class T>
[[gnu::always_inline]] inline void transpose(Vector<T> (&row)[lanes<T>]) {
  constexpr int n = lanes<T>;
  constexpr int lane = int(16 / sizeof(T));
  unroll<n / lane>([&](auto group) { transpose_units<T, 1, lane, 1>(row + group * lane); });
  if constexpr (n > lane) {
    unroll<lane>([&](auto i) { transpose_units<T, lane, n, lane>(row + i); });
  }
}

/// A vector's worth of columns of b, b(k, j) = b[j * stride + k], as operands along k. Columns that
/// do not exist repeat the last one that does, so that nothing outside of the matrix is read.
template <class Operand>
class Columns {
 public:
  /// Rows of a square.
  static constexpr int64_t depth = lanes<Operand> * operand_depth<Operand>;

  /// REQUIRES: existing >= 1.
  Columns(const Element<Operand>* b, int64_t stride, int64_t existing) {
    for (int64_t j = 0; j < lanes<Operand>; j++) {
      column_[j] = b + std::min(j, existing - 1) * stride;
    }
  }

  /// Rows k, ..., k + depth - 1: a vector of operands for as many rows as one holds.
  [[gnu::always_inline]] void square(int64_t k, Vector<Operand> (&rows)[lanes<Operand>]) const {
    unroll<lanes<Operand>>([&](auto j) { rows[j] = load_along<Operand>(column_[j] + k); });
    transpose<Operand>(rows);
  }

  /// Asks for the elements of rows k, ..., k + depth - 1.
  [[gnu::always_inline]] void prefetch(int64_t k) const {
    unroll<lanes<Operand>>([&](auto j) __attribute__((always_inline)) {
      unroll<operand_depth<Operand>>([&](auto part) __attribute__((always_inline)) {
        __builtin_prefetch(column_[j] + k + part * lanes<Operand>);
      });
    });
  }

  /// The operands that begin with row k, of whose rows `existing` are there.
  Vector<Operand> row(int64_t k, int64_t existing) const {
    Vector<Operand> result;
    for (int j = 0; j < lanes<Operand>; j++) {
      result[j] = load_operand<Operand>(column_[j] + k, 1, existing);
    }
    return result;
  }

 private:
  const Element<Operand>* column_[lanes<Operand>];
};

}  // namespace rlhf::cpu
