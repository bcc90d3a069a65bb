// Streams, events and recorded graphs behind the runtime's functions. A stream is a queue of work;
// by default work runs as it is put in. In the lazy mode it waits there until something asks for
// it, so that a host that reads a result too early finds it missing.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/cuda/emulator/runtime.h"
#include "kernels/cuda/emulator/stream_mode.h"

namespace rlhf::emulator {

using Work = std::function<void()>;

/// One device, one queue of callers.
std::recursive_mutex& device_mutex();

/// Puts work into the stream, or into the graph that it records.
/// @throws what the work throws, when it runs at once.
void enqueue(cudaStream_t stream, Work work);

void run_all_streams();

/// Keeps an error for cudaGetLastError and returns it.
cudaError_t remember(cudaError_t error);

/// cudaErrorStreamCaptureUnsupported, which also spoils the recording, where a GPU would not permit
/// calls that may wait for the device: while a stream records in a mode that watches this thread.
cudaError_t refuse_while_capturing();

/// A recording: what streams put into one graph.
struct Capture {
  cudaStream_t origin;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  std::vector<Work> work;
  bool invalidated = false;
  /// How often each other stream was recorded from, and up to where somebody waits for it.
  std::map<cudaStream_t, std::pair<int, int>> others;
};

/// A place in a stream that somebody may wait for.
struct Mark {
  cudaStream_t stream;
  bool reached = false;
  double seconds = 0;
};

}  // namespace rlhf::emulator

struct CUstream_st {
  std::deque<rlhf::emulator::Work> queue;
  std::shared_ptr<rlhf::emulator::Capture> capture;
};

struct CUevent_st {
  std::shared_ptr<rlhf::emulator::Mark> mark;  ///< null: never recorded, which counts as reached
  std::shared_ptr<rlhf::emulator::Capture> capture;
  cudaStream_t captured_in = nullptr;
  int captured_at = 0;
  bool timed = true;
};

struct CUgraph_st {
  std::vector<rlhf::emulator::Work> work;
};

struct CUgraphExec_st {
  std::vector<rlhf::emulator::Work> work;
};
