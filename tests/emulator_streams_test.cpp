// Streams, events and recorded graphs of the emulated runtime, eager and lazy, and the traces that
// launches leave.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cuda/emulator.h"
#include "kernels/run.h"
#include "tests/emulator/on_device.h"

namespace rlhf {
namespace {

using emulator::Streams;

class WithStreams {
 public:
  explicit WithStreams(Streams mode) : before_(emulator::streams()) { emulator::set_streams(mode); }
  ~WithStreams() { emulator::set_streams(before_); }
  WithStreams(const WithStreams&) = delete;
  WithStreams& operator=(const WithStreams&) = delete;

 private:
  Streams before_;
};

class OwnStream {
 public:
  OwnStream() { gpu::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream"); }
  ~OwnStream() { static_cast<void>(cudaStreamDestroy(stream_)); }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  operator cudaStream_t() const { return stream_; }
  operator Stream() const { return {stream_}; }

 private:
  cudaStream_t stream_{};
};

__global__ void add_one(float* x) { x[threadIdx.x] += 1; }

void launch_add_one(float* x, Stream stream) {
  gpu::launch({"add_one", {1}, {32}, stream}, add_one, x);
}

TEST(EmulatorStreams, LazyWorkIsDoneWhenSomebodyWaits) {
  const WithStreams lazy(Streams::lazy);
  const OwnStream stream;
  Shared<float> x(std::vector<float>(32, 1.0f));
  launch_add_one(x, stream);
  EXPECT_EQ(x[0], 1.0f) << "read too early";
  EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady);
  launch_add_one(x, stream);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(x[0], 3.0f);
  EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
}

TEST(EmulatorStreams, EventsOrderStreams) {
  const WithStreams lazy(Streams::lazy);
  const OwnStream first, second;
  cudaEvent_t event{};
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  Shared<float> x(std::vector<float>(32, 1.0f)), y(32);
  launch_add_one(x, first);
  ASSERT_EQ(cudaEventRecord(event, first), cudaSuccess);
  launch_add_one(x, first);
  ASSERT_EQ(cudaStreamWaitEvent(second, event), cudaSuccess);
  copy(Cuda{}, y, x, 32 * sizeof(float), second);
  EXPECT_EQ(cudaEventQuery(event), cudaErrorNotReady);
  ASSERT_EQ(cudaStreamSynchronize(second), cudaSuccess);
  EXPECT_EQ(y[0], 2.0f) << "after the event and before what follows it";
  EXPECT_EQ(cudaEventQuery(event), cudaSuccess);
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(x[0], 3.0f);
  ASSERT_EQ(cudaEventDestroy(event), cudaSuccess);
}

TEST(EmulatorStreams, CopiesFromPinnedMemoryReadItWhenTheyRun) {
  const WithStreams lazy(Streams::lazy);
  const OwnStream stream;
  float* pinned = nullptr;
  ASSERT_EQ(cudaMallocHost(&pinned, sizeof(float)), cudaSuccess);
  float pageable = 1;
  *pinned = 1;
  Shared<float> x(2);
  const auto copy_to = [&](float* to, const float* from) {
    ASSERT_EQ(cudaMemcpyAsync(to, from, sizeof(float), cudaMemcpyHostToDevice, stream),
              cudaSuccess);
  };
  copy_to(x, pinned);
  copy_to(x + 1, &pageable);
  *pinned = pageable = 2;
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(x[0], 2.0f) << "the host overwrote it too early";
  EXPECT_EQ(x[1], 1.0f) << "the runtime keeps a copy of what is not pinned";
  ASSERT_EQ(cudaFreeHost(pinned), cudaSuccess);
}

/// A graph of what `work` puts into the stream.
template <class Work>
cudaGraphExec_t record(cudaStream_t stream, const Work& work) {
  cudaGraph_t graph{};
  cudaGraphExec_t exec{};
  EXPECT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  work();
  EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphInstantiate(&exec, graph), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  return exec;
}

TEST(EmulatorStreams, GraphsReplay) {
  for (const Streams mode : {Streams::eager, Streams::lazy}) {
    const WithStreams chosen(mode);
    const OwnStream stream, other;
    Shared<float> x(std::vector<float>(32, 0.0f)), y(32);
    const cudaGraphExec_t exec = record(stream, [&] {
      launch_add_one(x, stream);
      copy(Cuda{}, y, x, 32 * sizeof(float), stream);
      fill(Cuda{}, x + 1, 0, sizeof(float), stream);
    });
    EXPECT_EQ(x[0], 0.0f) << "recorded, not run";
    for (int i = 1; i <= 5; i++) {
      ASSERT_EQ(cudaGraphLaunch(exec, other), cudaSuccess);
      ASSERT_EQ(cudaStreamSynchronize(other), cudaSuccess);
      EXPECT_EQ(y[0], float(i));
      EXPECT_EQ(y[1], 1.0f);
    }
    ASSERT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
  }
}

TEST(EmulatorStreams, GraphsJoinStreams) {
  const OwnStream stream, side;
  cudaEvent_t fork{}, join{};
  ASSERT_EQ(cudaEventCreate(&fork), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&join), cudaSuccess);
  Shared<float> x(std::vector<float>(32, 0.0f));
  for (const bool joined : {true, false}) {
    cudaGraph_t graph{};
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(fork, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(side, fork), cudaSuccess);
    launch_add_one(x, side);
    ASSERT_EQ(cudaEventRecord(join, side), cudaSuccess);
    EXPECT_EQ(cudaEventQuery(join), cudaErrorCapturedEvent);
    ASSERT_EQ(joined ? cudaStreamWaitEvent(stream, join) : cudaSuccess, cudaSuccess);
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph),
              joined ? cudaSuccess : cudaErrorStreamCaptureUnjoined);
    ASSERT_EQ(graph ? cudaGraphDestroy(graph) : cudaSuccess, cudaSuccess);
  }
  EXPECT_EQ(x[0], 0.0f);
  static_cast<void>(cudaGetLastError());
  ASSERT_EQ(cudaEventDestroy(fork), cudaSuccess);
  ASSERT_EQ(cudaEventDestroy(join), cudaSuccess);
}

/// What a call returns during a recording, after which the recording must be spoilt.
template <class Call>
cudaError_t status_in_recording(cudaStreamCaptureMode mode, const Call& call,
                                cudaError_t end = cudaErrorStreamCaptureInvalidated) {
  const OwnStream stream;
  cudaGraph_t graph{};
  EXPECT_EQ(cudaStreamBeginCapture(stream, mode), cudaSuccess);
  const cudaError_t status = call(stream);
  EXPECT_EQ(cudaStreamEndCapture(stream, &graph), end);
  EXPECT_EQ(graph ? cudaGraphDestroy(graph) : cudaSuccess, cudaSuccess);
  static_cast<void>(cudaGetLastError());
  return status;
}

TEST(EmulatorStreams, WhatMayNotBeRecorded) {
  constexpr auto refused = cudaErrorStreamCaptureUnsupported;
  const auto synchronize = [](cudaStream_t stream) { return cudaStreamSynchronize(stream); };
  const auto query = [](cudaStream_t stream) { return cudaStreamQuery(stream); };
  const auto wait = [](cudaStream_t) { return cudaDeviceSynchronize(); };
  const auto allocate_memory = [](cudaStream_t) {
    void* memory = nullptr;
    const cudaError_t status = cudaMalloc(&memory, 64);
    static_cast<void>(cudaFree(memory));
    return status;
  };
  for (const auto mode : {cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal,
                          cudaStreamCaptureModeRelaxed}) {
    EXPECT_EQ(status_in_recording(mode, synchronize), refused);
    EXPECT_EQ(status_in_recording(mode, query), refused);
    EXPECT_EQ(status_in_recording(mode, wait), refused);
  }
  EXPECT_EQ(status_in_recording(cudaStreamCaptureModeGlobal, allocate_memory), refused);
  EXPECT_EQ(status_in_recording(cudaStreamCaptureModeThreadLocal, allocate_memory), refused);
  EXPECT_EQ(status_in_recording(cudaStreamCaptureModeRelaxed, allocate_memory, cudaSuccess),
            cudaSuccess);
  EXPECT_EQ(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal), refused);
  EXPECT_EQ(cudaGetLastError(), refused);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "is forgotten";
}

TEST(EmulatorStreams, TheDeviceRunsOutOfMemory) {
  size_t free_bytes = 0, total_bytes = 0;
  emulator::set_device_bytes(1 << 20);
  EXPECT_EQ(allocate(Cuda{}, 2 << 20), nullptr);
  void* const half = allocate(Cuda{}, 1 << 19);
  EXPECT_NE(half, nullptr);
  EXPECT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
  EXPECT_EQ(total_bytes, size_t{1} << 20);
  EXPECT_LE(free_bytes, size_t{1} << 19);
  release(Cuda{}, half);
  emulator::set_device_bytes(0);
}

/// A contract for the trace alone.
template <class T>
struct Doubled {
  T* out;
  const T* in;
  int64_t count;

  void visit(auto&& v) const {
    v.in("in", in, count);
    v.out("out", out, count);
  }
  double flops() const { return double(count); }
};

__global__ void twice(float* out, const float* in) { out[threadIdx.x] = 2 * in[threadIdx.x]; }

void run(Cuda, const Doubled<float>& c, Stream stream) {
  gpu::launch({"twice", {1}, {unsigned(c.count)}, stream, 64}, twice, c.out, c.in);
}
[[maybe_unused]] void run(Cpu, const Doubled<float>&, Stream) {}

TEST(EmulatorStreams, TracesTellWhatRan) {
  Shared<float> in(std::vector<float>(32, 1.0f)), out(32);
  const Doubled<float> contract{out, in, 32};
  run(Device::cuda, contract);
  const Trace trace;
  run(Device::cuda, contract);
  {
    const Trace inner;
    run(Device::cuda, contract);
    EXPECT_EQ(inner.runs().size(), 1u);
  }
  ASSERT_EQ(trace.runs().size(), 1u);
  const TracedRun& record = trace.runs().front();
  EXPECT_NE(record.contract.find("Doubled<float>"), std::string::npos) << record.contract;
  EXPECT_EQ(record.bytes(), 256.0);
  EXPECT_EQ(record.flops, 32.0);
  ASSERT_EQ(record.launches.size(), 1u);
  EXPECT_EQ(record.launches[0].kernel, "twice");
  EXPECT_EQ(record.launches[0].block[0], 32u);
  EXPECT_EQ(record.launches[0].shared_bytes, 64u);
  for (const FieldRecord& field : record.fields) {
    EXPECT_TRUE(emulator::is_device_pointer(field.data)) << field.name;
  }
}

}  // namespace
}  // namespace rlhf
