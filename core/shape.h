// The extents of a dense row-major tensor: up to four, by value.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "core/check.h"

namespace rlhf {

class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  Shape(std::initializer_list<int64_t> extents)
      : Shape(std::span<const int64_t>(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const int64_t> extents) {
    check(extents.size() <= kMaxRank, "shape", "expected at most {} extents, got {}", kMaxRank,
          extents.size());
    for (int64_t extent : extents) {
      check(extent >= 0, "shape", "expected extents >= 0, got {}", extent);
      extents_[rank_++] = extent;
    }
  }

  int rank() const { return rank_; }
  /// The extent of an axis; negative axes count from the end, as in -1 for the last.
  int64_t operator[](int axis) const { return extents_[axis < 0 ? rank_ + axis : axis]; }
  /// The number of elements: the product of the extents, 1 for rank 0.
  int64_t count() const {
    int64_t product = 1;
    for (int axis = 0; axis < rank_; axis++) product *= extents_[axis];
    return product;
  }
  /// All axes but the last, multiplied: the rows of a matrix.
  int64_t rows() const { return rank_ == 0 ? 1 : count() / std::max<int64_t>(1, (*this)[-1]); }

  /// The same extents with the last one replaced.
  Shape with_last(int64_t extent) const {
    Shape other = *this;
    other.extents_[rank_ - 1] = extent;
    return other;
  }

  bool operator==(const Shape&) const = default;

  std::string text() const {
    std::string out = "(";
    for (int axis = 0; axis < rank_; axis++) {
      out += fmt::format("{}{}", axis ? ", " : "", extents_[axis]);
    }
    return out + ")";
  }

 private:
  std::array<int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

}  // namespace rlhf
