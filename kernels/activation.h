// The nonlinearities of small networks: tanh, which policies of classical control are made with
// (Schulman et al. 2017, section 6.1), and the rectifier (Nair and Hinton 2010), which networks of
// action values are.
#pragma once

#include "kernels/device.h"

namespace rlhf {

enum class ActivationKind { tanh, relu };

/// out = tanh(in), or max(in, 0), element by element; NaN stays NaN.
template <class T>
struct ActivationForward {
  T* out;
  const T* in;
  int64_t count;
  ActivationKind kind;

  void visit(auto&& v) const {
    v.in("in", in, count);
    v.out("out", out, count);
  }
  double flops() const { return (kind == ActivationKind::tanh ? 12.0 : 1.0) * double(count); }
};

/// d_in = d_out (1 - out^2), or d_out where out > 0 and else 0: both derivatives are functions of
/// the result, so that what went in need not be kept.
template <class T>
struct ActivationBackward {
  GradientOut<T> d_in;
  const T* d_out;
  const T* out;
  int64_t count;
  ActivationKind kind;

  void visit(auto&& v) const {
    v.in("d_out", d_out, count);
    v.in("out", out, count);
    v.out("d_in", d_in.data, count, d_in.accumulate);
  }
  double flops() const { return 3.0 * double(count); }
};

template <class T>
void run(Cpu, const ActivationForward<T>&, Stream);
template <class T>
void run(Cuda, const ActivationForward<T>&, Stream);
template <class T>
void run(Cpu, const ActivationBackward<T>&, Stream);
template <class T>
void run(Cuda, const ActivationBackward<T>&, Stream);

}  // namespace rlhf
