// Residual connections, sums of losses, and the one way a gradient flows through both.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out = a + scale * b, element by element.
template <class T>
struct AddScaled {
  T* out;
  const T* a;
  const T* b;
  float scale = 1;
  int64_t count;

  void visit(auto&& v) const {
    v.in("a", a, count);
    v.in("b", b, count);
    v.out("out", out, count);
  }
  double flops() const { return 2.0 * double(count); }
};

/// out = scale * in, or out += scale * in.
template <class T>
struct ScaleInto {
  GradientOut<T> out;
  const T* in;
  float scale = 1;
  int64_t count;

  void visit(auto&& v) const {
    v.in("in", in, count);
    v.out("out", out.data, count, out.accumulate);
  }
  double flops() const { return double(count); }
};

template <class T>
void run(Cpu, const AddScaled<T>&, Stream);
template <class T>
void run(Cuda, const AddScaled<T>&, Stream);
template <class T>
void run(Cpu, const ScaleInto<T>&, Stream);
template <class T>
void run(Cuda, const ScaleInto<T>&, Stream);

}  // namespace rlhf
