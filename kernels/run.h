// run(device, contract): the only branch on the device in the whole program. Both halves overload
// run(Tag, contract, stream) on the contract's type; a contract that a half does not implement for
// an element type is a link error that names it.
#pragma once

#include <stdexcept>
#include <utility>

#include "kernels/device.h"
#include "kernels/memory.h"

namespace rlhf {

/// Calls `body` with the device's tag.
/// @throws std::invalid_argument when this build has no such device.
template <class Body>
decltype(auto) on_device(Device device, Body&& body) {
  if (device == Device::cpu) return std::forward<Body>(body)(Cpu{});
  throw std::invalid_argument("[device] expected cpu, got cuda: this build has no CUDA half");
}

template <class Contract>
void run(Device device, const Contract& contract, Stream stream = {}) {
  on_device(device, [&](auto tag) { run(tag, contract, stream); });
}

}  // namespace rlhf
