// Layer normalisation over the last axis (Ba et al. 2016, equation 4).
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out = (in - mean) * rstd * weight + bias, per row;
/// mean = sum(in) / C, rstd = 1 / sqrt(sum((in - mean)^2) / C + eps).
/// in, out: (rows, C); weight, bias: (C); mean, rstd: (rows), kept for the backward.
///
/// With `added` (rows, C), what is normalised is sum = in + added, a residual connection, which is
/// kept in `sum` (rounded to T): both in one pass over memory. The backward is that of the norm
/// alone, with `sum` as its input: it accumulates into the gradient of `sum`, which is the gradient
/// of `in` and of `added`.
template <class T>
struct LayerNormForward {
  T* out;
  Accumulator<T>* mean;
  Accumulator<T>* rstd;
  const T* in;
  const T* weight;
  const T* bias;
  int64_t rows, C;
  float eps = 1e-5f;
  const T* added = nullptr;
  T* sum = nullptr;

  void visit(auto&& v) const {
    v.in("in", in, rows * C);
    v.in("added", added, rows * C);
    v.in("weight", weight, C);
    v.in("bias", bias, C);
    v.out("sum", sum, rows * C);
    v.out("out", out, rows * C);
    v.out("mean", mean, rows);
    v.out("rstd", rstd, rows);
  }
  double flops() const { return 8.0 * double(rows * C); }
};

/// With n = (in - mean) * rstd and g = d_out * weight, per row:
/// d_in = rstd * (g - mean(g) - n * mean(g * n)); d_weight = sum over rows of d_out * n;
/// d_bias = sum over rows of d_out.
template <class T>
struct LayerNormBackward {
  GradientOut<T> d_in;
  GradientOut<Accumulator<T>> d_weight;
  GradientOut<Accumulator<T>> d_bias;
  const T* d_out;
  const T* in;
  const T* weight;
  const Accumulator<T>* mean;
  const Accumulator<T>* rstd;
  int64_t rows, C;

  void visit(auto&& v) const {
    v.in("d_out", d_out, rows * C);
    v.in("in", in, rows * C);
    v.in("weight", weight, C);
    v.in("mean", mean, rows);
    v.in("rstd", rstd, rows);
    v.out("d_in", d_in.data, rows * C, d_in.accumulate);
    v.out("d_weight", d_weight.data, C, d_weight.accumulate);
    v.out("d_bias", d_bias.data, C, d_bias.accumulate);
  }
  double flops() const { return 14.0 * double(rows * C); }
};

template <class T>
void run(Cpu, const LayerNormForward<T>&, Stream);
template <class T>
void run(Cuda, const LayerNormForward<T>&, Stream);
template <class T>
void run(Cpu, const LayerNormBackward<T>&, Stream);
template <class T>
void run(Cuda, const LayerNormBackward<T>&, Stream);

}  // namespace rlhf
