// Element types of tensors, and the one place where a run-time type becomes a compile-time one.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/check.h"

namespace rlhf {

enum class DType { f32, f64, i32 };

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::i32;
}

constexpr size_t size_of(DType dtype) { return dtype == DType::f64 ? 8 : 4; }

constexpr std::string_view name_of(DType dtype) {
  return dtype == DType::f32 ? "f32" : dtype == DType::f64 ? "f64" : "i32";
}

/// Calls body(T{}) with the floating-point type that `dtype` names.
/// @throws Error for an integer type: ops compute on floating point only.
template <class Body>
decltype(auto) dispatch(DType dtype, Body&& body) {
  check(dtype != DType::i32, "dispatch", "expected a floating-point tensor, got i32");
  return dtype == DType::f64 ? body(double{}) : body(float{});
}

}  // namespace rlhf
