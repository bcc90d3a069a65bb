#include "kernels/cuda/emulator/stream.h"

#include <chrono>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>

namespace rlhf::emulator {
namespace {

Streams from_environment() {
  const char* const value = std::getenv("RLHF_EMULATOR_STREAMS");
  const std::string text = value ? value : "eager";
  if (text == "eager" || text.empty()) return Streams::eager;
  if (text == "lazy") return Streams::lazy;
  throw std::runtime_error("[RLHF_EMULATOR_STREAMS] expected eager or lazy, got " + text);
}

Streams& mode() {
  static Streams current = from_environment();
  return current;
}

struct All {
  CUstream_st null;
  std::set<cudaStream_t> made;
  std::set<std::shared_ptr<Capture>> captures;
};
All& all() {
  static auto* const only = new All;
  return *only;
}

CUstream_st& stream_at(cudaStream_t stream) { return stream ? *stream : all().null; }

void run_one(CUstream_st& stream) {
  const Work work = std::move(stream.queue.front());
  stream.queue.pop_front();
  work();
}

void run_stream(CUstream_st& stream) {
  while (!stream.queue.empty()) run_one(stream);
}

void run_to(const std::shared_ptr<Mark>& mark) {
  while (mark && !mark->reached) run_one(stream_at(mark->stream));
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

cudaError_t spoil(Capture& capture) {
  capture.invalidated = true;
  return remember(cudaErrorStreamCaptureUnsupported);
}

}  // namespace

void set_streams(Streams chosen) {
  const std::lock_guard lock(device_mutex());
  run_all_streams();
  mode() = chosen;
}
Streams streams() {
  const std::lock_guard lock(device_mutex());
  return mode();
}

std::recursive_mutex& device_mutex() {
  static auto* const only = new std::recursive_mutex;
  return *only;
}

void enqueue(cudaStream_t handle, Work work) {
  const std::lock_guard lock(device_mutex());
  CUstream_st& stream = stream_at(handle);
  if (stream.capture) {
    if (handle != stream.capture->origin) stream.capture->others[handle].first++;
    stream.capture->work.push_back(std::move(work));
    return;
  }
  stream.queue.push_back(std::move(work));
  if (mode() == Streams::eager) run_stream(stream);
}

void run_all_streams() {
  run_stream(all().null);
  for (const cudaStream_t stream : all().made) run_stream(*stream);
}

cudaError_t refuse_while_capturing() {
  for (const auto& capture : all().captures) {
    const bool mine = capture->thread == std::this_thread::get_id();
    if (capture->mode == cudaStreamCaptureModeRelaxed) continue;
    if (capture->mode == cudaStreamCaptureModeGlobal || mine) return spoil(*capture);
  }
  return cudaSuccess;
}

}  // namespace rlhf::emulator

using namespace rlhf::emulator;
using Lock = std::lock_guard<std::recursive_mutex>;

// ---- streams -----------------------------------------------------------------------------------

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Lock lock(device_mutex());
  all().made.insert(*stream = new CUstream_st);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock lock(device_mutex());
  if (!all().made.contains(stream)) return remember(cudaErrorInvalidResourceHandle);
  run_stream(*stream);
  all().made.erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  const Lock lock(device_mutex());
  CUstream_st& stream = stream_at(handle);
  if (stream.capture) return spoil(*stream.capture);
  if (const cudaError_t status = refuse_while_capturing(); status != cudaSuccess) return status;
  run_stream(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  const Lock lock(device_mutex());
  CUstream_st& stream = stream_at(handle);
  if (stream.capture) return spoil(*stream.capture);
  if (stream.queue.empty()) return cudaSuccess;
  run_one(stream);  // whoever asks again and again gets there
  return cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize() {
  const Lock lock(device_mutex());
  for (const auto& capture : all().captures) return spoil(*capture);
  run_all_streams();
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  const Lock lock(device_mutex());
  CUstream_st& stream = stream_at(handle);
  if (event->capture) {
    if (!stream.capture) {
      stream.capture = event->capture;  // the stream joins the recording
      stream.capture->others[handle];
    }
    auto& others = stream.capture->others;
    if (const auto other = others.find(event->captured_in); other != others.end()) {
      other->second.second = std::max(other->second.second, event->captured_at);
    }
    return cudaSuccess;
  }
  if (stream.capture) return remember(cudaErrorStreamCaptureUnsupported);
  if (event->mark && !event->mark->reached) {
    enqueue(handle, [mark = event->mark] { run_to(mark); });
  }
  return cudaSuccess;
}

// ---- events ------------------------------------------------------------------------------------

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  *event = new CUevent_st;
  (*event)->timed = !(flags & cudaEventDisableTiming);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  const Lock lock(device_mutex());
  CUstream_st& stream = stream_at(handle);
  event->capture = stream.capture;
  if (stream.capture) {
    event->captured_in = handle;
    event->captured_at =
        handle == stream.capture->origin ? 0 : stream.capture->others[handle].first;
    return cudaSuccess;
  }
  event->mark = std::make_shared<Mark>(Mark{handle});
  enqueue(handle, [mark = event->mark] {
    mark->reached = true;
    mark->seconds = now();
  });
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Lock lock(device_mutex());
  if (event->capture) return remember(cudaErrorCapturedEvent);
  if (const cudaError_t status = refuse_while_capturing(); status != cudaSuccess) return status;
  run_to(event->mark);
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Lock lock(device_mutex());
  if (event->capture) return remember(cudaErrorCapturedEvent);
  if (!event->mark || event->mark->reached) return cudaSuccess;
  run_one(stream_at(event->mark->stream));
  return cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const Lock lock(device_mutex());
  if (!start->mark || !end->mark || !start->timed || !end->timed) {
    return remember(cudaErrorInvalidResourceHandle);
  }
  if (!start->mark->reached || !end->mark->reached) return remember(cudaErrorNotReady);
  *milliseconds = float(1e3 * (end->mark->seconds - start->mark->seconds));
  return cudaSuccess;
}

// ---- graphs ------------------------------------------------------------------------------------

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const Lock lock(device_mutex());
  if (!stream) return remember(cudaErrorStreamCaptureUnsupported);  // nor can CUDA's own
  if (stream->capture) return remember(cudaErrorIllegalState);
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  stream->capture->mode = mode;
  stream->capture->thread = std::this_thread::get_id();
  all().captures.insert(stream->capture);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Lock lock(device_mutex());
  *graph = nullptr;
  if (!stream || !stream->capture) return remember(cudaErrorIllegalState);
  const auto capture = stream->capture;
  if (capture->origin != stream) return remember(cudaErrorStreamCaptureUnmatched);
  all().captures.erase(capture);
  stream->capture = nullptr;
  bool joined = true;
  for (const auto& [other, counts] : capture->others) {
    if (all().made.contains(other)) other->capture = nullptr;
    joined = joined && counts.first <= counts.second;
  }
  if (capture->invalidated) return remember(cudaErrorStreamCaptureInvalidated);
  if (!joined) return remember(cudaErrorStreamCaptureUnjoined);
  *graph = new CUgraph_st{std::move(capture->work)};
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  const Lock lock(device_mutex());
  const auto& capture = stream_at(handle).capture;
  *status = !capture               ? cudaStreamCaptureStatusNone
            : capture->invalidated ? cudaStreamCaptureStatusInvalidated
                                   : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const Lock lock(device_mutex());  // one piece of work, whatever other threads put beside it
  for (const Work& work : exec->work) enqueue(stream, work);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
