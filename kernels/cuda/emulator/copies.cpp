// Copies and fills. That the device's side is device memory is checked: a host pointer taken for
// one of the device's is the commonest mistake that a machine with one memory would hide.
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/cuda/emulator/device_memory.h"
#include "kernels/cuda/emulator/stream.h"

namespace rlhf::emulator {
namespace {

void expect_side(const char* function, const char* direction, const void* memory, size_t bytes,
                 bool device) {
  const MemoryKind kind = kind_of(memory, bytes);
  const bool serves = kind == MemoryKind::managed ||
                      (device ? kind == MemoryKind::device : kind != MemoryKind::device);
  if (serves) return;
  const char* const got =
      device ? "memory of the host, or a range that leaves its piece" : "memory of the device";
  throw std::runtime_error("[" + std::string(function) + "] expected memory of the " +
                           (device ? "device" : "host") + " to copy " + direction + ", got " + got);
}

/// Whether a GPU has read or written the host's side when the call returns.
bool waits_for_host(const void* host, size_t bytes) {
  return kind_of(host, bytes) == MemoryKind::host;
}

}  // namespace
}  // namespace rlhf::emulator

using namespace rlhf::emulator;

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const std::lock_guard lock(device_mutex());
  if (bytes == 0) return cudaSuccess;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind != cudaMemcpyDefault) {
    expect_side("cudaMemcpyAsync", "to", to, bytes, to_device);
    expect_side("cudaMemcpyAsync", "from", from, bytes, from_device);
  }
  cudaStreamCaptureStatus capturing{};
  cudaStreamIsCapturing(stream, &capturing);
  const bool recorded = capturing != cudaStreamCaptureStatusNone;
  if (!recorded && kind == cudaMemcpyHostToDevice && waits_for_host(from, bytes)) {
    const auto* const data = static_cast<const char*>(from);
    enqueue(stream, [to, copy = std::vector<char>(data, data + bytes)] {
      std::memcpy(to, copy.data(), copy.size());
    });
    return cudaSuccess;
  }
  enqueue(stream, [=] { std::memcpy(to, from, bytes); });
  if (!recorded && kind == cudaMemcpyDeviceToHost && waits_for_host(to, bytes)) {
    return cudaStreamSynchronize(stream);
  }
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  const cudaError_t status = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  return status == cudaSuccess ? cudaStreamSynchronize(nullptr) : status;
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  const std::lock_guard lock(device_mutex());
  if (bytes == 0) return cudaSuccess;
  expect_side("cudaMemsetAsync", "to", memory, bytes, true);
  enqueue(stream, [=] { std::memset(memory, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaMemset(void* memory, int value, size_t bytes) {
  const cudaError_t status = cudaMemsetAsync(memory, value, bytes, nullptr);
  return status == cudaSuccess ? cudaStreamSynchronize(nullptr) : status;
}
