// exp and tanh without branches and calls, so that the compiler turns loops over them into SIMD. An
// element's bits do not depend on where in an array it stands: the vector body and the scalar tail
// of a loop evaluate the same expression, and every a * b + c in it is an explicit fused operation,
// which the compiler may neither split nor form by itself.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace rlhf::cpu {

/// a * b + c, rounded once where the instruction set can, and never at the compiler's discretion.
inline float fused(float a, float b, float c) {
#ifdef __FMA__
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

inline double fused(double a, double b, double c) {
#ifdef __FMA__
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

/// exp(x). float: relative error below 1.2e-7, gradual underflow to 0, overflow to infinity, NaN
/// stays NaN. double: the standard library's.
///
/// exp(x) = 2^n exp(r) with n = round(x / ln 2), |r| <= ln(2) / 2. The polynomial of exp(r) is the
/// minimax fit of (exp(r) - 1 - r) / r^2, relative error 3e-9.
template <class T>
inline T fast_exp(T x) {
  return std::exp(x);
}

template <>
inline float fast_exp(float x) {
  x = x < -104.0f ? -104.0f : x;           // exp rounds to 0 below
  x = x > 89.0f ? 89.0f : x;               // and to infinity above
  constexpr float to_integer = 0x1.8p23f;  // adding it rounds to an integer, held in the low bits
  const float shifted = fused(x, 1.442695041f, to_integer);
  const float n = shifted - to_integer;
  float r = fused(n, -0x1.62e4p-1f, x);  // ln 2 in two parts: the first product is exact
  r = fused(n, -0x1.7f7d1cp-20f, r);
  float p = 0.001395049155689776f;
  p = fused(p, r, 0.008368889801204205f);
  p = fused(p, r, 0.04166620597243309f);
  p = fused(p, r, 0.166665181517601f);
  p = fused(p, r, 0.5f);
  p = fused(p * r, r, r) + 1.0f;
  // 2^n in two factors, because n runs from -150 to 128 and an exponent field from -126 to 127.
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(to_integer);
  const int32_t half = exponent >> 1;
  const float first = std::bit_cast<float>((half + 127) << 23);
  const float second = std::bit_cast<float>((exponent - half + 127) << 23);
  return p * first * second;
}

/// tanh(x). float: relative error below 2e-7. double: the standard library's.
///
/// Near 0 an odd minimax polynomial, elsewhere 1 - 2 / (exp(2 |x|) + 1); both are computed.
template <class T>
inline T fast_tanh(T x) {
  return std::tanh(x);
}

template <>
inline float fast_tanh(float x) {
  const float size = std::fabs(x);
  const float z = x * x;
  float p = -0.005717044696211815f;
  p = fused(p, z, 0.020650586113333702f);
  p = fused(p, z, -0.05374349653720856f);
  p = fused(p, z, 0.13331490755081177f);
  p = fused(p, z, -0.3333328366279602f);
  const float near = fused(p * z, size, size);
  const float far = 1.0f - 2.0f / (fast_exp(2.0f * size) + 1.0f);
  return std::copysign(size < 0.625f ? near : far, x);
}

}  // namespace rlhf::cpu
