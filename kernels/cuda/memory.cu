// Device memory, and copies that leave the host free to go on.
#include "kernels/memory.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "kernels/cuda/support/gpu.h"

namespace rlhf {
namespace {

using gpu::check;
using gpu::stream_of;

/// Pinned memory that uploads go through: a copy from pageable memory would make the host wait. Two
/// halves take turns; a half is written again only when its last copy has been made.
class Staging {
 public:
  static constexpr size_t half_bytes = 4 << 20;

  void upload(char* to, const char* from, size_t bytes, cudaStream_t stream) {
    std::lock_guard lock(mutex_);
    while (bytes > 0) {
      Half& half = halves_[next_];
      next_ = 1 - next_;
      prepare(half);
      const size_t part = std::min(bytes, half_bytes);
      std::memcpy(half.memory, from, part);
      check(cudaMemcpyAsync(to, half.memory, part, cudaMemcpyHostToDevice, stream),
            "copying to the device");
      check(cudaEventRecord(half.copied, stream), "recording an event");
      to += part;
      from += part;
      bytes -= part;
    }
  }

 private:
  struct Half {
    void* memory = nullptr;
    cudaEvent_t copied{};
  };

  static void prepare(Half& half) {
    if (half.memory) {
      check(cudaEventSynchronize(half.copied), "waiting for a copy");
      return;
    }
    check(cudaMallocHost(&half.memory, half_bytes), "allocating pinned memory");
    check(cudaEventCreateWithFlags(&half.copied, cudaEventDisableTiming), "creating an event");
  }

  std::mutex mutex_;
  Half halves_[2];
  int next_ = 0;
};

Staging& staging() {
  static Staging* const only = new Staging;  // tensors in static storage may outlive any order
  return *only;
}

}  // namespace

void* allocate(Cuda, size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, std::max<size_t>(bytes, 1));
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());  // forgets it: the caller may ask for less
    return nullptr;
  }
  check(status, "allocating device memory");
  return memory;
}

void release(Cuda, void* memory) {
  // At the end of the process the driver may be gone before the last tensor; then so is the memory.
  static_cast<void>(cudaFree(memory));
}

void copy(Cuda, void* to, const void* from, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_of(stream)),
        "copying within the device");
}

void fill(Cuda, void* memory, unsigned char byte, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  check(cudaMemsetAsync(memory, byte, bytes, stream_of(stream)), "filling device memory");
}

void upload(Cuda, void* to, const void* from, size_t bytes, Stream stream) {
  staging().upload(static_cast<char*>(to), static_cast<const char*>(from), bytes,
                   stream_of(stream));
}

void download(Cuda, void* to, const void* from, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_of(stream)),
        "copying from the device");
  synchronize(Cuda{}, stream);
}

void synchronize(Cuda, Stream stream) {
  check(cudaStreamSynchronize(stream_of(stream)), "running the work of a stream");
}

void* allocate_unified(Cuda, size_t bytes) {
  void* memory = nullptr;
  check(cudaMallocManaged(&memory, std::max<size_t>(bytes, 1)), "allocating unified memory");
  return memory;
}

}  // namespace rlhf
