// How parameters begin. GPT-2: N(0, 0.02), biases 0, norms 1, and the projections that write into
// the residual stream scaled by 1/sqrt(2 n_layer) (Radford et al. 2019, section 2.3). Small
// networks: orthogonal matrices (Saxe et al. 2014, arXiv:1312.6120).
#pragma once

#include <cstdint>
#include <string_view>

#include "nn/gpt2.h"

namespace rlhf {

/// Draws every parameter on the CPU. Each draws from a site of its own, named by the parameter, so
/// that adding a layer leaves the others' values as they were.
void initialize(Gpt2& model, uint64_t seed);

/// Fills with N(0, deviation^2) from the random site that `name` stands for.
void fill_normal(const Tensor& tensor, double deviation, uint64_t seed, std::string_view name);

/// Fills a matrix with `gain` times a random one whose columns, or rows where those are fewer, are
/// orthonormal: uniform among such matrices, from the random site that `name` stands for.
void fill_orthogonal(const Tensor& matrix, double gain, uint64_t seed, std::string_view name);

}  // namespace rlhf
