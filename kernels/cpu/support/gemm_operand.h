// What the innermost loops of matrix multiplication multiply: the matrices' own elements, one k at
// a time, or pairs of bfloat16 to which floats are rounded on their way, two k at a time. The loops
// are written once, for any operand.
#pragma once

#include "kernels/cpu/support/bf16_pair.h"
#include "kernels/cpu/support/vector.h"

namespace rlhf::cpu {

template <class Operand>
struct OperandFacts {
  using Element = Operand;
  static constexpr int depth = 1;
};
template <>
struct OperandFacts<Bf16Pair> {
  using Element = float;
  static constexpr int depth = 2;
};

/// Of the matrices and of the sums.
template <class Operand>
using Element = typename OperandFacts<Operand>::Element;
/// Of how many k an operand holds the elements.
template <class Operand>
inline constexpr int operand_depth = OperandFacts<Operand>::depth;
/// Operands that K elements fill; what is missing of the last one is 0.
template <class Operand>
constexpr int64_t operands(int64_t K) {
  return (K + operand_depth<Operand> - 1) / operand_depth<Operand>;
}

/// One operand of elements of which only `existing` are there, which are `step` apart.
template <class Operand>
[[gnu::always_inline]] inline Operand load_operand(const Element<Operand>* from, int64_t step,
                                                   int64_t existing) {
  if constexpr (operand_depth<Operand> == 1) {
    return *from;
  } else {
    const Vector<Element<Operand>> first{*from}, second{existing > 1 ? from[step] : 0};
    return pairs_across(first, second)[0];
  }
}

/// A vector of operands whose k is the row of a matrix: `rows` of them, at most an operand's depth.
template <class Operand, int rows = operand_depth<Operand>>
[[gnu::always_inline]] inline Vector<Operand> load_across(const Element<Operand>* from,
                                                          int64_t stride) {
  if constexpr (operand_depth<Operand> == 1) {
    return load(from);
  } else {
    Vector<Element<Operand>> second{};
    if constexpr (rows > 1) second = load(from + stride);
    return pairs_across(load(from), second);
  }
}

/// A vector of operands whose k runs along a row.
template <class Operand>
[[gnu::always_inline]] inline Vector<Operand> load_along(const Element<Operand>* from) {
  if constexpr (operand_depth<Operand> == 1) {
    return load(from);
  } else {
    return pairs_along(load(from), load(from + lanes<Element<Operand>>));
  }
}

/// sum + a . b for every lane of b; of a pair, the second product is added first.
template <class Operand>
[[gnu::always_inline]] inline Vector<Element<Operand>> add_product(Vector<Element<Operand>> sum,
                                                                   Operand a, Vector<Operand> b) {
  if constexpr (operand_depth<Operand> == 1) {
    return sum + a * b;
  } else {
    return add_pairs(sum, Vector<Operand>{} + a, b);
  }
}

}  // namespace rlhf::cpu
