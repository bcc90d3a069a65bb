// Picking rows of a matrix: the last token of each sequence for a reward, the response tokens of a
// batch for PPO, the sequences that are still being generated.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out (N, C) = in[row[n]], in: (rows, C).
/// REQUIRES: 0 <= row[n] < rows.
template <class T>
struct GatherForward {
  T* out;
  const T* in;
  const int32_t* row;
  int64_t N, rows, C;

  void visit(auto&& v) const {
    v.in("in", in, rows * C);
    v.index("row", row, N, rows);
    v.out("out", out, N * C);
  }
  double flops() const { return double(N * C); }
};

/// d_in[row[n]] += d_out[n], in the order of n; rows that nobody picked get 0 (or keep what they
/// hold when accumulating).
template <class T>
struct GatherBackward {
  GradientOut<T> d_in;
  const T* d_out;
  const int32_t* row;
  int64_t N, rows, C;

  void visit(auto&& v) const {
    v.in("d_out", d_out, N * C);
    v.index("row", row, N, rows);
    v.out("d_in", d_in.data, rows * C, d_in.accumulate);
  }
  double flops() const { return double(N * C); }
};

template <class T>
void run(Cpu, const GatherForward<T>&, Stream);
template <class T>
void run(Cuda, const GatherForward<T>&, Stream);
template <class T>
void run(Cpu, const GatherBackward<T>&, Stream);
template <class T>
void run(Cuda, const GatherBackward<T>&, Stream);

}  // namespace rlhf
