// Several threads of the host give one device work, slowly, so that each has every chance to get in
// between what another one puts into the stream.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "kernels/cuda/emulator.h"
#include "kernels/graph.h"
#include "kernels/run.h"
#include "tests/emulator/on_device.h"

namespace rlhf {
namespace {

constexpr int count = 32, rounds = 20;

void let_others_in() { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

/// out = 2 in + 1, by two kernels with scratch memory between them.
template <class T>
struct TwoKernels {
  T* out;
  const T* in;

  void visit(auto&& v) const {
    v.in("in", in, count);
    v.out("out", out, count);
  }
  double flops() const { return 2.0 * count; }
};

__global__ void twice(float* out, const float* in) { out[threadIdx.x] = 2 * in[threadIdx.x]; }
__global__ void one_more(float* out, const float* in) { out[threadIdx.x] = in[threadIdx.x] + 1; }

void run(Cuda, const TwoKernels<float>& c, Stream stream) {
  auto* const between = gpu::scratch<float>(count, stream);
  gpu::launch({"twice", {1}, {count}, stream}, twice, between, c.in);
  let_others_in();
  gpu::launch({"one_more", {1}, {count}, stream}, one_more, c.out, between);
}
[[maybe_unused]] void run(Cpu, const TwoKernels<float>&, Stream) {}

/// Numbers that nobody else has.
std::vector<float> numbers(int thread, int round) {
  return std::vector<float>(count, float(100 * thread + round));
}
std::vector<float> results(int thread, int round) {
  return std::vector<float>(count, float(2 * (100 * thread + round) + 1));
}

void compute(int thread) {
  for (int round = 0; round < rounds; round++) {
    const Shared<float> in(numbers(thread, round)), out(count);
    run(Device::cuda, TwoKernels<float>{out, in});
    synchronize(Cuda{}, {});
    ASSERT_EQ(out.values(), results(thread, round));
  }
}

void record_and_replay(int thread) {
  for (int round = 0; round < rounds; round++) {
    const Shared<float> in(numbers(thread, round)), out(count);
    begin_recording(Cuda{}, {});
    let_others_in();
    run(Device::cuda, TwoKernels<float>{out, in});
    let_others_in();
    void* const recording = end_recording(Cuda{}, {});
    for (const int now : {round, round + 1}) {
      const std::vector<float> values = numbers(thread, now);
      upload(Cuda{}, in, values.data(), count * sizeof(float), {});
      replay(Cuda{}, recording, {});
      synchronize(Cuda{}, {});
      ASSERT_EQ(out.values(), results(thread, now));
    }
    release_recording(Cuda{}, recording);
  }
}

void give_recordings_up() {
  for (int round = 0; round < rounds; round++) {
    begin_recording(Cuda{}, {});
    let_others_in();
    abandon_recording(Cuda{}, {});
    begin_recording(Cuda{}, {});
    let_others_in();
    ASSERT_THROW(synchronize(Cuda{}, {}), std::logic_error) << "of its own";
    abandon_recording(Cuda{}, {});
  }
}

void copy_about(int thread) {
  constexpr size_t bytes = count * sizeof(float);
  for (int round = 0; round < rounds; round++) {
    const Shared<float> there(count), elsewhere(count);
    const std::vector<float> values = numbers(thread, round);
    std::vector<float> back(count);
    upload(Cuda{}, there, values.data(), bytes, {});
    let_others_in();
    fill(Cuda{}, elsewhere, 0, bytes, {});
    copy(Cuda{}, elsewhere, there, bytes, {});
    download(Cuda{}, back.data(), elsewhere, bytes, {});
    ASSERT_EQ(back, values);
  }
}

/// All at a time, in streams that run their work at once and in ones that put it off.
void run_together(const std::vector<std::function<void()>>& bodies) {
  const emulator::Streams before = emulator::streams();
  for (const auto mode : {emulator::Streams::eager, emulator::Streams::lazy}) {
    emulator::set_streams(mode);
    std::vector<std::thread> threads;
    for (const auto& body : bodies) {
      threads.emplace_back([&body] { EXPECT_NO_THROW(body()); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  emulator::set_streams(before);
}

TEST(EmulatorThreads, WhatARunLaunchesStaysTogether) {
  run_together({[] { compute(1); }, [] { compute(2); }, [] { compute(3); }});
}

TEST(EmulatorThreads, ARecordingHasNothingOfOthersAndStopsNone) {
  run_together({[] { record_and_replay(1); }, [] { compute(2); }, [] { copy_about(3); }});
}

TEST(EmulatorThreads, RecordingsWaitForOneAnother) {
  run_together({[] { record_and_replay(1); }, [] { record_and_replay(2); }, give_recordings_up});
}

std::atomic<bool> begun, let_go;

/// 1 when it is let go, 0 when that takes too long.
__global__ void wait_to_be_let_go(float* out) {
  begun = true;
  for (int i = 0; i < 20'000 && !let_go; i++) let_others_in();
  *out = let_go;
}

TEST(EmulatorThreads, WhoWaitsKeepsNobodyFromTheDevice) {
  begun = let_go = false;
  const Shared<float> out(1);
  float result = 0;
  std::thread waits([&] {
    emulator::set_streams(emulator::Streams::lazy);
    gpu::launch({"wait_to_be_let_go", {1}, {1}}, wait_to_be_let_go, out);
    download(Cuda{}, &result, out, sizeof result, {});
    emulator::set_streams(emulator::Streams::eager);
  });
  while (!begun) let_others_in();
  {
    const DeviceLock lock = lock_device(Cuda{});
    let_go = true;
  }
  waits.join();
  EXPECT_EQ(result, 1.0f);
}

}  // namespace
}  // namespace rlhf
