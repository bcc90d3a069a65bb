// run(device, contract): the only branch on the device in the whole program. Both halves overload
// run(Tag, contract, stream) on the contract's type; a contract that a half does not implement for
// an element type is a link error that names it.
#pragma once

#include <stdexcept>
#include <utility>

#include "kernels/device.h"
#include "kernels/device_lock.h"
#include "kernels/memory.h"
#include "kernels/trace.h"

namespace rlhf {

/// The element type of a contract, its first parameter: float of Gemm<float>.
template <class Contract>
struct ElementOf;
template <template <class...> class Contract, class T, class... More>
struct ElementOf<Contract<T, More...>> {
  using type = T;
};

/// Whether this build has a CUDA half, real or emulated.
#ifdef RLHF_HAS_CUDA
inline constexpr bool has_cuda = true;
#else
inline constexpr bool has_cuda = false;
#endif

/// Calls `body` with the device's tag.
/// @throws std::invalid_argument when this build has no such device.
template <class Body>
decltype(auto) on_device(Device device, Body&& body) {
  if constexpr (has_cuda) {
    if (device == Device::cuda) return std::forward<Body>(body)(Cuda{});
  }
  if (device == Device::cpu) return std::forward<Body>(body)(Cpu{});
  throw std::invalid_argument("[device] expected cpu, got cuda: this build has no CUDA half");
}

/// Safe to call from several threads at a time: what one contract launches stays together.
/// @throws std::invalid_argument also when the device does not compute on such elements.
template <class Contract>
void run(Device device, const Contract& contract, Stream stream = {}) {
  on_device(device, [&](auto tag) {
    if constexpr (computes<decltype(tag), typename ElementOf<Contract>::type>) {
      if (Trace* const trace = Trace::current()) trace->begin(device, contract);
      [[maybe_unused]] const auto lock = lock_device(tag);
      run(tag, contract, stream);
    } else {
      throw std::invalid_argument(
          "[device] expected elements that it computes on: the CPU has float and double, the GPU "
          "float and bf16");
    }
  });
}

}  // namespace rlhf
