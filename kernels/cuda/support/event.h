// A place in a stream that the host waits for: the stream itself may be waited for only while
// nobody records it.
#pragma once

#include "kernels/cuda/support/gpu.h"

namespace rlhf::gpu {

class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "creating an event"); }
  ~Event() { static_cast<void>(cudaEventDestroy(event_)); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(Stream stream) {
    check(cudaEventRecord(event_, stream_of(stream)), "recording an event");
  }
  void wait(const char* what) const { check(cudaEventSynchronize(event_), what); }
  /// Whether wait() would return at once, as it does before the first record().
  bool reached() const {
    const cudaError_t status = cudaEventQuery(event_);
    if (status != cudaErrorNotReady) {
      check(status, "asking for an event");
      return true;
    }
    static_cast<void>(cudaGetLastError());  // forgets it: no launch went wrong
    return false;
  }

 private:
  cudaEvent_t event_{};
};

}  // namespace rlhf::gpu
