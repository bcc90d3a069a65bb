// GELU and its derivative (kernels/gelu.h), for its own kernels and for products that end in it.
// With s = 1 / (1 + exp(-2 u)) in place of (1 + tanh(u)) / 2 an element costs two instructions of
// the special function units, which is what keeps it at memory speed.
#pragma once

#include "kernels/cuda/support/mma.h"

namespace rlhf::gpu {

inline constexpr float gelu_linear = 0.7978845608028654f;  // sqrt(2/pi)
inline constexpr float gelu_cubic = gelu_linear * 0.044715f;

/// exp(-2 u), u = sqrt(2/pi) (x + 0.044715 x^3); bounded, so that its product with s is finite.
__device__ inline float exp_of_gelu_inner(float x) {
  constexpr float log2_e = 1.4426950408889634f;
  return fast_exp2(
      fminf(x * fmaf(-2 * log2_e * gelu_cubic, x * x, -2 * log2_e * gelu_linear), 125.0f));
}

__device__ inline float gelu(float x) { return __fdividef(x, 1.0f + exp_of_gelu_inner(x)); }

/// s + x ds/dx, where ds/dx = s (1 - s) 2 du/dx and 1 - s = s exp(-2 u).
__device__ inline float gelu_derivative(float x) {
  const float exp = exp_of_gelu_inner(x);
  const float s = __fdividef(1.0f, 1.0f + exp);
  const float twice_du = fmaf(6 * gelu_cubic, x * x, 2 * gelu_linear);
  return fmaf(x * twice_du, s * (s * exp), s);
}

}  // namespace rlhf::gpu
