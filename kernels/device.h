// What every kernel contract may name: the device it runs on, the stream it is ordered in, the type
// it sums in, and the destination of a gradient. No other header of ours is needed to read a
// contract.
#pragma once

#include <cstdint>

#include "kernels/bf16.h"

namespace rlhf {

enum class Device { cpu, cuda };

/// Tags that select an implementation by overload: run(Cpu{}, contract, stream).
struct Cpu {};
struct Cuda {};

/// Whether a device computes on elements of type T. Double is for gradient checks on the CPU only,
/// bfloat16 for the GPU's tensor cores.
template <class Tag, class T>
inline constexpr bool computes = false;
template <>
inline constexpr bool computes<Cpu, float> = true;
template <>
inline constexpr bool computes<Cpu, double> = true;
template <>
inline constexpr bool computes<Cuda, float> = true;
template <>
inline constexpr bool computes<Cuda, bf16> = true;

/// An ordered queue of work on a device; null is the device's default. The CPU runs in place.
struct Stream {
  void* handle = nullptr;
};

/// The type in which elements of type T are summed and in which statistics are kept.
template <class T>
struct AccumulatorOf {
  using type = float;
};
template <>
struct AccumulatorOf<double> {
  using type = double;
};
template <class T>
using Accumulator = typename AccumulatorOf<T>::type;

/// From the first element of a matrix to the last one's end, its rows `stride` elements apart.
constexpr int64_t strided_count(int64_t rows, int64_t columns, int64_t stride) {
  return rows == 0 ? 0 : (rows - 1) * stride + columns;
}

/// Where a backward kernel puts one gradient. Null data: nobody wants it. The first writer of a
/// step overwrites, later ones accumulate (GEMM's beta), so gradients are never cleared by a pass.
template <class T>
struct GradientOut {
  T* data = nullptr;
  bool accumulate = false;
  constexpr explicit operator bool() const { return data != nullptr; }
};

/// What changes from step to step. Kernels read it through a pointer, never by value, so that a
/// recorded launch (a CUDA graph) replays with the step's own numbers.
struct StepState {
  uint64_t seed = 0;
  uint64_t step = 0;        ///< optimizer step, from 1 (Adam's bias correction)
  uint64_t draw = 0;        ///< counts forward passes: each draws fresh random numbers
  float learning_rate = 0;  ///< of this step, after the schedule
};

}  // namespace rlhf
