// Recordings as CUDA graphs.
#include "kernels/graph.h"

#include "kernels/cuda/support/gpu.h"

namespace rlhf {

using gpu::check;
using gpu::stream_of;

void begin_recording(Cuda, Stream stream) {
  // Relaxed: memory that is asked for meanwhile does not end the recording.
  check(cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeRelaxed),
        "beginning to record launches");
}

void* end_recording(Cuda, Stream stream) {
  cudaGraph_t graph{};
  check(cudaStreamEndCapture(stream_of(stream), &graph), "recording launches");
  cudaGraphExec_t recording{};
  const cudaError_t status = cudaGraphInstantiate(&recording, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  check(status, "preparing recorded launches");
  return recording;
}

void abandon_recording(Cuda, Stream stream) {
  cudaGraph_t graph{};
  static_cast<void>(cudaStreamEndCapture(stream_of(stream), &graph));
  static_cast<void>(cudaGetLastError());  // what went wrong is on its way already
  if (graph) static_cast<void>(cudaGraphDestroy(graph));
}

void replay(Cuda, void* recording, Stream stream) {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(recording), stream_of(stream)),
        "replaying recorded launches");
}

void release_recording(Cuda, void* recording) {
  // At the end of the process the driver may be gone before the last of them.
  static_cast<void>(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(recording)));
}

}  // namespace rlhf
