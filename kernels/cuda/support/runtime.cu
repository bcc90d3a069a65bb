// The one stream, its lock, the scratch memory behind the kernels, what a block may have of the
// device, and CUDA's status as an exception.
#include <map>
#include <stdexcept>
#include <string>

#include "kernels/cuda/support/gpu.h"
#include "kernels/device_lock.h"

namespace rlhf {

DeviceLock lock_device(Cuda) {
  static auto* const only = new std::recursive_mutex;  // tensors may be the last to end
  return DeviceLock(*only);
}

namespace gpu {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw std::runtime_error("[cuda] expected " + std::string(what) + " to work, got " +
                           cudaGetErrorName(status) + ": " + cudaGetErrorString(status));
}

cudaStream_t stream_of(Stream stream) {
  if (stream.handle) return static_cast<cudaStream_t>(stream.handle);
  // Not CUDA's own default stream: that one cannot be captured into a graph.
  static const cudaStream_t only = new_stream();
  return only;
}

cudaStream_t new_stream() {
  cudaStream_t created{};
  check(cudaStreamCreateWithFlags(&created, cudaStreamNonBlocking), "creating a stream");
  return created;
}

size_t& shared_limit() {
  static size_t limit = [] {
    int device = 0, bytes = 0;
    check(cudaGetDevice(&device), "asking for the device");
    check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
          "asking for the shared memory of a block");
    return size_t(bytes);
  }();
  return limit;
}

void check_shared_bytes(size_t bytes, const char* kernel) {
  if (bytes <= shared_limit()) return;
  throw std::runtime_error(
      "[" + std::string(kernel) + "] expected a GPU with " + std::to_string(bytes) +
      " bytes of shared memory a block, got one with " + std::to_string(shared_limit()));
}

bool is_recording(Stream stream) {
  cudaStreamCaptureStatus status{};
  check(cudaStreamIsCapturing(stream_of(stream), &status), "asking what a stream does");
  return status != cudaStreamCaptureStatusNone;
}

namespace {

struct Block {
  void* memory = nullptr;
  size_t bytes = 0;
};

}  // namespace

void* scratch_bytes(size_t bytes, Stream stream) {
  static std::map<void*, Block> block_of;
  Block& block = block_of[stream.handle];
  if (bytes > block.bytes) {
    constexpr size_t least = 1 << 20;
    size_t size = least;
    while (size < bytes) size *= 2;  // doubling: all that was outgrown is no more than what is used
    check(cudaMalloc(&block.memory, size), "allocating scratch memory");
    block.bytes = size;
  }
#ifndef NDEBUG
  check(cudaMemsetAsync(block.memory, 0xff, bytes, stream_of(stream)), "poisoning scratch memory");
#endif
  return block.memory;
}

}  // namespace gpu
}  // namespace rlhf
