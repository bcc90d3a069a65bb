// Recordings as CUDA graphs.
#include "kernels/graph.h"

#include <utility>

#include "kernels/cuda/support/gpu.h"
#include "kernels/device_lock.h"

namespace rlhf {
namespace {

/// What keeps others' work out of the recording of this thread.
thread_local DeviceLock lock_of_recording;

}  // namespace

using gpu::check;
using gpu::stream_of;

void begin_recording(Cuda, Stream stream) {
  DeviceLock lock = lock_device(Cuda{});
  // Relaxed: memory that is asked for meanwhile does not end the recording.
  check(cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeRelaxed),
        "beginning to record launches");
  lock_of_recording = std::move(lock);
}

void* end_recording(Cuda, Stream stream) {
  cudaGraph_t graph{};
  {
    const DeviceLock lock = std::exchange(lock_of_recording, {});
    check(cudaStreamEndCapture(stream_of(stream), &graph), "recording launches");
  }
  cudaGraphExec_t recording{};
  const cudaError_t status = cudaGraphInstantiate(&recording, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  check(status, "preparing recorded launches");
  return recording;
}

void abandon_recording(Cuda, Stream stream) {
  const DeviceLock lock = std::exchange(lock_of_recording, {});
  cudaGraph_t graph{};
  static_cast<void>(cudaStreamEndCapture(stream_of(stream), &graph));
  static_cast<void>(cudaGetLastError());  // what went wrong is on its way already
  if (graph) static_cast<void>(cudaGraphDestroy(graph));
}

void replay(Cuda, void* recording, Stream stream) {
  const DeviceLock lock = lock_device(Cuda{});
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(recording), stream_of(stream)),
        "replaying recorded launches");
}

void release_recording(Cuda, void* recording) {
  // At the end of the process the driver may be gone before the last of them.
  static_cast<void>(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(recording)));
}

}  // namespace rlhf
