// The Gaussian error linear unit in the tanh form that GPT-2 was trained with (Hendrycks and Gimpel
// 2016, section 2; "gelu_new" in Hugging Face's configurations).
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), element by element.
template <class T>
struct GeluForward {
  T* out;
  const T* in;
  int64_t count;

  void visit(auto&& v) const {
    v.in("in", in, count);
    v.out("out", out, count);
  }
  double flops() const { return 8.0 * double(count); }
};

template <class T>
struct GeluBackward {
  GradientOut<T> d_in;
  const T* d_out;
  const T* in;
  int64_t count;

  void visit(auto&& v) const {
    v.in("d_out", d_out, count);
    v.in("in", in, count);
    v.out("d_in", d_in.data, count, d_in.accumulate);
  }
  double flops() const { return 16.0 * double(count); }
};

template <class T>
void run(Cpu, const GeluForward<T>&, Stream);
template <class T>
void run(Cuda, const GeluForward<T>&, Stream);
template <class T>
void run(Cpu, const GeluBackward<T>&, Stream);
template <class T>
void run(Cuda, const GeluBackward<T>&, Stream);

}  // namespace rlhf
