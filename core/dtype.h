// Element types of tensors, and the one place where a run-time type becomes a compile-time one.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "kernels/device.h"

namespace rlhf {

/// i8 is a type of weights only (core/narrow_matrix.h).
enum class DType { f32, f64, bf16, i32, i8 };

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
constexpr DType dtype_of<bf16>() {
  return DType::bf16;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<int8_t>() {
  return DType::i8;
}

constexpr size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 8;
    case DType::bf16:
      return 2;
    case DType::i8:
      return 1;
    case DType::f32:
    case DType::i32:
      return 4;
  }
  return 0;
}

constexpr std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::bf16:
      return "bf16";
    case DType::i32:
      return "i32";
    case DType::i8:
      return "i8";
  }
  return "";
}

/// Calls body(T{}) with the floating-point type that `dtype` names.
/// @throws Error for an integer type: ops compute on floating point only.
template <class Body>
decltype(auto) dispatch(DType dtype, Body&& body) {
  check(dtype != DType::i32 && dtype != DType::i8, "dispatch",
        "expected a floating-point tensor, got {}", name_of(dtype));
  return dtype == DType::f64 ? body(double{}) : dtype == DType::bf16 ? body(bf16{}) : body(float{});
}

/// The same for what is kept in an accumulator's type: losses, log-probabilities, rewards, values,
/// gradients of parameters. Models of bfloat16 have them in float, so that nobody writes a kernel
/// on 8 bits of precision for a number a token.
/// @throws Error for bf16 and integers.
template <class Body>
decltype(auto) dispatch_accumulator(DType dtype, Body&& body) {
  check(dtype == DType::f32 || dtype == DType::f64, "dispatch",
        "expected a tensor of f32 or f64, got {}", name_of(dtype));
  return dtype == DType::f64 ? body(double{}) : body(float{});
}

/// Accumulator<T> of the type that `dtype` names.
constexpr DType accumulator_of(DType dtype) {
  return dtype == DType::f64 ? DType::f64 : DType::f32;
}

}  // namespace rlhf
