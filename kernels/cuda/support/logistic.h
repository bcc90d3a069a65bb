// What losses over choices are made of, in forms that neither overflow nor cancel.
#pragma once

#include "kernels/cuda/support/gpu.h"

namespace rlhf::gpu {

/// log(1 + exp(x)) = -log sigmoid(-x).
__device__ inline float softplus(float x) { return (x > 0 ? x : 0) + log1pf(expf(-fabsf(x))); }

/// 1 / (1 + exp(-x)), exact to the last digits on both sides of 0.
__device__ inline float sigmoid(float x) {
  const float e = expf(-fabsf(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/// log(1 - exp(x)) of x < 0 (Maechler 2012, "Accurately computing log(1 - exp(-|a|))").
__device__ inline float log1mexp(float x) {
  return x > -0.693147181f ? logf(-expm1f(x)) : log1pf(-expf(x));
}

}  // namespace rlhf::gpu
