// Keeping gradients bounded: by their global norm (Pascanu et al. 2013, algorithm 1) or by value.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// norm = sqrt(sum gradient^2) over the whole arena; scale = min(1, max_norm / (norm + 1e-6)), or 1
/// when max_norm is 0. The optimizer applies the scale, so that clipping costs no pass of its own.
/// Sums are taken over fixed blocks and then in order: the same bits for any number of threads.
template <class T>
struct GradientNorm {
  Accumulator<T>* norm;   ///< (1)
  Accumulator<T>* scale;  ///< (1)
  const T* gradient;
  int64_t count;
  float max_norm;

  void visit(auto&& v) const {
    v.in("gradient", gradient, count);
    v.out("norm", norm, 1);
    v.out("scale", scale, 1);
  }
  double flops() const { return 2.0 * double(count); }
};

/// gradient = min(max(gradient, -limit), limit), element by element.
template <class T>
struct GradientClipValue {
  T* gradient;
  int64_t count;
  float limit;

  void visit(auto&& v) const { v.inout("gradient", gradient, count); }
  double flops() const { return 2.0 * double(count); }
};

template <class T>
void run(Cpu, const GradientNorm<T>&, Stream);
template <class T>
void run(Cuda, const GradientNorm<T>&, Stream);
template <class T>
void run(Cpu, const GradientClipValue<T>&, Stream);
template <class T>
void run(Cuda, const GradientClipValue<T>&, Stream);

}  // namespace rlhf
