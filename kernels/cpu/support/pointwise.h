// Losses that go element by element: how their loops run and how their gradients are written.
#pragma once

#include "kernels/cpu/support/parallel.h"
#include "kernels/device.h"

namespace rlhf::cpu {

/// body(i) for i in [0, contract.count).
template <class Contract, class Body>
void for_each_element(const Contract& contract, Body&& body) {
  parallel_for(contract.count, contract.flops(), body);
}

/// Writes or adds one element of a gradient, if anybody wants it.
template <class T>
void put(const GradientOut<T>& gradient, int64_t i, T value) {
  if (!gradient) return;
  gradient.data[i] = gradient.accumulate ? gradient.data[i] + value : value;
}

}  // namespace rlhf::cpu
