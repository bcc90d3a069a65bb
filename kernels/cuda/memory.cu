// Device memory, and copies that leave the host free to go on.
#include "kernels/memory.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "kernels/cuda/support/event.h"
#include "kernels/device_lock.h"

namespace rlhf {
namespace {

using gpu::check;
using gpu::Event;
using gpu::stream_of;

/// A recorded copy would bring what the host's memory holds when it is replayed, and work that is
/// recorded instead of run cannot be waited for.
void refuse_recording(Stream stream) {
  if (!gpu::is_recording(stream)) return;
  throw std::logic_error("[cuda] expected no copy from or to the host while launches are recorded");
}

/// Pinned memory that uploads go through: a copy from pageable memory would make the host wait. The
/// slots take turns; one is written again only when its last copy has been made. A copy waits its
/// turn behind the stream's kernels, so there are more slots than a training step has uploads: the
/// host can prepare the next step while the device works on this one.
class Staging {
 public:
  static constexpr size_t slot_bytes = 1 << 20;
  static constexpr size_t slots = 16;

  void upload(char* to, const char* from, size_t bytes, Stream stream) {
    while (bytes > 0) {
      DeviceLock lock = lock_device(Cuda{});  // of each part: others need not wait for all
      refuse_recording(stream);
      Slot& slot = slots_[next_];
      if (!slot.copied.reached()) {
        lock.unlock();
        slot.copied.wait("waiting for a copy");
        continue;  // others may have taken it meanwhile
      }
      next_ = (next_ + 1) % slots;
      if (!slot.memory) {
        check(cudaMallocHost(&slot.memory, slot_bytes), "allocating pinned memory");
      }
      const size_t part = std::min(bytes, slot_bytes);
      std::memcpy(slot.memory, from, part);
      check(cudaMemcpyAsync(to, slot.memory, part, cudaMemcpyHostToDevice, stream_of(stream)),
            "copying to the device");
      slot.copied.record(stream);
      to += part;
      from += part;
      bytes -= part;
    }
  }

 private:
  struct Slot {
    void* memory = nullptr;
    Event copied;
  };

  Slot slots_[slots];
  size_t next_ = 0;
};

Staging& staging() {
  static Staging* const only = new Staging;  // tensors in static storage may outlive any order
  return *only;
}

/// The stream of copies to the host. What they read is there already, so that they need not wait
/// behind what other threads put into the stream of kernels, nor for its lock: nobody records it.
cudaStream_t stream_of_downloads() {
  static const cudaStream_t only = gpu::new_stream();
  return only;
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
  const DeviceLock lock = lock_device(Cuda{});
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_of(stream)),
        "copying within the device");
}

void fill(Cuda, void* memory, unsigned char byte, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  const DeviceLock lock = lock_device(Cuda{});
  check(cudaMemsetAsync(memory, byte, bytes, stream_of(stream)), "filling device memory");
}

void upload(Cuda, void* to, const void* from, size_t bytes, Stream stream) {
  staging().upload(static_cast<char*>(to), static_cast<const char*>(from), bytes, stream);
}

void download(Cuda, void* to, const void* from, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  synchronize(Cuda{}, stream);
  const cudaStream_t copies = stream_of_downloads();
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, copies),
        "copying from the device");
  check(cudaStreamSynchronize(copies), "copying from the device");
}

void synchronize(Cuda, Stream stream) {
  Event done;
  {
    const DeviceLock lock = lock_device(Cuda{});
    refuse_recording(stream);
    done.record(stream);
  }
  done.wait("running the work of a stream");
}

void* allocate_unified(Cuda, size_t bytes) {
  void* memory = nullptr;
  check(cudaMallocManaged(&memory, std::max<size_t>(bytes, 1)), "allocating unified memory");
  return memory;
}

}  // namespace rlhf
