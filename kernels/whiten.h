// Whitening: mean 0 and variance 1 over the entries that count (Ziegler et al. 2019).
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out = (in - mean) / sqrt(var + 1e-8) [+ mean when the mean is to stay], mean and the population
/// variance over entries with mask != 0; entries with mask 0 get exactly 0.
template <class T>
struct Whiten {
  T* out;
  const T* in;
  const T* mask;
  int64_t count;
  bool shift_mean = true;  ///< false keeps the mean: rewards; true: advantages

  void visit(auto&& v) const {
    v.in("in", in, count);
    v.in("mask", mask, count);
    v.out("out", out, count);
  }
  double flops() const { return 5.0 * double(count); }
};

template <class T>
void run(Cpu, const Whiten<T>&, Stream);
template <class T>
void run(Cuda, const Whiten<T>&, Stream);

}  // namespace rlhf
