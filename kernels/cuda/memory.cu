// Device memory, and copies that leave the host free to go on.
#include "kernels/memory.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "kernels/cuda/support/gpu.h"

namespace rlhf {
namespace {

using gpu::check;
using gpu::stream_of;

/// Pinned memory that uploads go through: a copy from pageable memory would make the host wait. The
/// slots take turns; one is written again only when its last copy has been made. A copy waits its
/// turn behind the stream's kernels, so there are more slots than a training step has uploads: the
/// host can prepare the next step while the device works on this one.
class Staging {
 public:
  static constexpr size_t slot_bytes = 1 << 20;
  static constexpr size_t slots = 16;

  void upload(char* to, const char* from, size_t bytes, cudaStream_t stream) {
    if (bytes == 0) return;
    std::lock_guard lock(mutex_);
    refuse_recording(stream);
    while (bytes > 0) {
      Slot& slot = slots_[next_];
      next_ = (next_ + 1) % slots;
      prepare(slot);
      const size_t part = std::min(bytes, slot_bytes);
      std::memcpy(slot.memory, from, part);
      check(cudaMemcpyAsync(to, slot.memory, part, cudaMemcpyHostToDevice, stream),
            "copying to the device");
      check(cudaEventRecord(slot.copied, stream), "recording an event");
      to += part;
      from += part;
      bytes -= part;
    }
  }

 private:
  struct Slot {
    void* memory = nullptr;
    cudaEvent_t copied{};
  };

  /// A recorded copy would bring what the slot holds when it is replayed.
  static void refuse_recording(cudaStream_t stream) {
    cudaStreamCaptureStatus status{};
    check(cudaStreamIsCapturing(stream, &status), "asking what a stream does");
    if (status == cudaStreamCaptureStatusNone) return;
    throw std::logic_error("[cuda] expected no copy from the host while launches are recorded");
  }

  static void prepare(Slot& slot) {
    if (slot.memory) {
      check(cudaEventSynchronize(slot.copied), "waiting for a copy");
      return;
    }
    check(cudaMallocHost(&slot.memory, slot_bytes), "allocating pinned memory");
    check(cudaEventCreateWithFlags(&slot.copied, cudaEventDisableTiming), "creating an event");
  }

  std::mutex mutex_;
  Slot slots_[slots];
  size_t next_ = 0;
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
