// Inverted dropout (Srivastava et al. 2014). The mask is never stored: Philox draws it again.
#pragma once

#include "kernels/device.h"
#include "kernels/philox.h"

namespace rlhf {

/// out_i = keep_i * in_i / (1 - probability), keep_i = uniform(i) >= probability.
/// Linear in its input, so that the backward is the same contract applied to the gradient.
/// REQUIRES: 0 <= probability < 1.
template <class T>
struct Dropout {
  GradientOut<T> out;
  const T* in;
  int64_t count;
  float probability;
  RandomSite random;

  void visit(auto&& v) const {
    v.in("in", in, count);
    v.out("out", out.data, count, out.accumulate);
  }
  double flops() const { return double(count); }
};

template <class T>
void run(Cpu, const Dropout<T>&, Stream);
template <class T>
void run(Cuda, const Dropout<T>&, Stream);

}  // namespace rlhf
