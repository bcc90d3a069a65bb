// Sums with a fixed order, so that their bits do not depend on threads.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out (C) = sum over rows of in (rows, C): the gradient of a bias.
template <class T>
struct ColumnSum {
  GradientOut<Accumulator<T>> out;
  const T* in;
  int64_t rows, C;

  void visit(auto&& v) const {
    v.in("in", in, rows * C);
    v.out("out", out.data, C, out.accumulate);
  }
  double flops() const { return double(rows * C); }
};

/// out (1) = sum_i weight_i * in_i: every loss of a batch is such a sum of losses per row, with
/// weights that add up to 1 over a whole optimizer step.
template <class T>
struct WeightedSumForward {
  T* out;
  const T* in;
  const T* weight;
  int64_t count;

  void visit(auto&& v) const {
    v.in("in", in, count);
    v.in("weight", weight, count);
    v.out("out", out, 1);
  }
  double flops() const { return 2.0 * double(count); }
};

/// d_in_i = weight_i * d_out.
template <class T>
struct WeightedSumBackward {
  GradientOut<T> d_in;
  const T* d_out;  ///< (1)
  const T* weight;
  int64_t count;

  void visit(auto&& v) const {
    v.in("d_out", d_out, 1);
    v.in("weight", weight, count);
    v.out("d_in", d_in.data, count, d_in.accumulate);
  }
  double flops() const { return double(count); }
};

template <class T>
void run(Cpu, const ColumnSum<T>&, Stream);
template <class T>
void run(Cuda, const ColumnSum<T>&, Stream);
template <class T>
void run(Cpu, const WeightedSumForward<T>&, Stream);
template <class T>
void run(Cuda, const WeightedSumForward<T>&, Stream);
template <class T>
void run(Cpu, const WeightedSumBackward<T>&, Stream);
template <class T>
void run(Cuda, const WeightedSumBackward<T>&, Stream);

}  // namespace rlhf
