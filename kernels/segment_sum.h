// The log-probability of a whole completion: token log-probabilities lie one after another, and
// each sequence owns a stretch of them.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out[s] = sum of in[n] over n in [begin[s], end[s]), divided by their number when `mean`; 0 of an
/// empty stretch. begin, end: i32 (S).
/// REQUIRES: S >= 1; 0 <= begin[s] <= end[s] <= begin[s + 1], and the last end is at most N.
template <class T>
struct SegmentSumForward {
  T* out;       ///< (S)
  const T* in;  ///< (N)
  const int32_t* begin;
  const int32_t* end;
  int64_t S, N;
  bool mean = false;

  void visit(auto&& v) const {
    v.in("in", in, N);
    v.index("begin", begin, S, N + 1);
    v.index("end", end, S, N + 1);
    v.out("out", out, S);
  }
  double flops() const { return double(N); }
};

/// d_in[n] = d_out[s], by the number of its stretch when `mean`; 0 for n in no stretch.
template <class T>
struct SegmentSumBackward {
  GradientOut<T> d_in;
  const T* d_out;
  const int32_t* begin;
  const int32_t* end;
  int64_t S, N;
  bool mean = false;

  void visit(auto&& v) const {
    v.in("d_out", d_out, S);
    v.index("begin", begin, S, N + 1);
    v.index("end", end, S, N + 1);
    v.out("d_in", d_in.data, N, d_in.accumulate);
  }
  double flops() const { return double(N); }
};

template <class T>
void run(Cpu, const SegmentSumForward<T>&, Stream);
template <class T>
void run(Cuda, const SegmentSumForward<T>&, Stream);
template <class T>
void run(Cpu, const SegmentSumBackward<T>&, Stream);
template <class T>
void run(Cuda, const SegmentSumBackward<T>&, Stream);

}  // namespace rlhf
