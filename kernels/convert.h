// Changing the element type: from what a bfloat16 model computes with to what its losses are summed
// in, and back.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out = To(in), or out += To(in); rounded to nearest, ties to even.
template <class From, class To>
struct Convert {
  GradientOut<To> out;
  const From* in;
  int64_t count;

  void visit(auto&& v) const {
    v.in("in", in, count);
    v.out("out", out.data, count, out.accumulate);
  }
  double flops() const { return double(count); }
};

template <class From, class To>
void run(Cpu, const Convert<From, To>&, Stream);
template <class From, class To>
void run(Cuda, const Convert<From, To>&, Stream);

}  // namespace rlhf
