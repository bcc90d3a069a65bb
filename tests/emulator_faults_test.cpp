// Planted bugs: a tool that sees nothing looks like success, so each mistake that the emulator is
// to find is made here on purpose. The same kernel without it (`sound`) must pass.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>

#include "kernels/cuda/emulator.h"
#include "tests/emulator/on_device.h"
#include "tests/thread_orders.h"

namespace rlhf {
namespace {

constexpr unsigned every_lane = 0xffffffffu;

std::string fault_of(const std::function<void()>& launch) {
  return message_of<std::runtime_error>(launch);
}

void expect_says(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
  }
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

/// What a sanitizer ends the process for is done in a process of its own.
class EmulatorFaults : public testing::Test {
 protected:
  EmulatorFaults() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// ---- order and races ---------------------------------------------------------------------------

/// The sum over the block, twice; unsound without the barrier behind the last read of the scratch.
template <bool sound>
__global__ void sum_twice(float* out, const float* in) {
  __shared__ float of_warp[32];
  float sum = in[threadIdx.x];
  for (int pass = 0; pass < 2; pass++) {
    sum = gpu::warp_sum(sum);
    if (gpu::lane() == 0) of_warp[gpu::warp()] = sum;
    __syncthreads();
    sum = 0;
    for (int warp = 0; warp < int(blockDim.x) / 32; warp++) sum += of_warp[warp];
    if (sound) __syncthreads();
  }
  out[threadIdx.x] = sum;
}

template <bool sound>
std::set<std::vector<float>> sums_by_order() {
  std::vector<float> numbers(128);
  for (int i = 0; i < 128; i++) numbers[size_t(i)] = float(i % 7);
  Shared<float> in(numbers);
  std::set<std::vector<float>> results;
  for_each_thread_order([&] {
    Shared<float> out(128);
    run_block(128, sum_twice<sound>, out, in);
    results.insert(out.values());
  });
  return results;
}

TEST_F(EmulatorFaults, AMissingBarrierShowsInTheOrderOfThreads) {
  EXPECT_EQ(sums_by_order<true>().size(), 1u);
  if (emulator::under_tsan) GTEST_SKIP() << "ThreadSanitizer reports it";
  EXPECT_GT(sums_by_order<false>().size(), 1u);
}

TEST_F(EmulatorFaults, AMissingBarrierIsARace) {
  if (!emulator::under_tsan) GTEST_SKIP() << "needs ThreadSanitizer";
  EXPECT_EXIT((sums_by_order<false>(), std::exit(0)), testing::ExitedWithCode(66), "data race");
}

/// Every block adds to the sum; unsound without an atomic.
template <bool sound>
__global__ void count_blocks(int* sum) {
  if (threadIdx.x > 0) return;
  if (sound) {
    atomicAdd(sum, 1);
  } else {
    *sum += 1;
  }
}

template <bool sound>
void race_between_blocks() {
  Shared<int> sum(std::vector{0});
  gpu::launch({"count_blocks", {3}, {32}}, count_blocks<sound>, sum);
  EXPECT_EQ(sum[0], 3);
}

TEST_F(EmulatorFaults, BlocksThatWriteToOnePlaceAreARace) {
  race_between_blocks<true>();
  if (!emulator::under_tsan) GTEST_SKIP() << "needs ThreadSanitizer";
  EXPECT_EXIT((race_between_blocks<false>(), std::exit(0)), testing::ExitedWithCode(66),
              "data race");
}

// ---- waiting for ever --------------------------------------------------------------------------

enum class Flow { sound, divergent, early_return, two_barriers };

template <Flow flow>
__global__ void wait_for_all(int* out) {
  if (flow == Flow::early_return && threadIdx.x < 24) return;
  if (flow == Flow::two_barriers && threadIdx.x < 24) {
    __syncthreads();
  } else if (flow != Flow::divergent || threadIdx.x < 24) {
    __syncthreads();
  }
  out[threadIdx.x] = 1;
}

TEST_F(EmulatorFaults, ABarrierThatNotAllReach) {
  Shared<int> out(64);
  for_each_thread_order([&] {
    EXPECT_EQ(fault_of([&] { run_block(64, wait_for_all<Flow::sound>, out); }), "");
    expect_says(
        fault_of([&] { run_block(64, wait_for_all<Flow::divergent>, out); }),
        {"[kernel planted] block (0, 0, 0)", "40 done", "24 at __syncthreads (", "of 64 threads"});
    expect_says(fault_of([&] { run_block(64, wait_for_all<Flow::early_return>, out); }),
                {"24 done", "40 at __syncthreads (emulator_faults_test.cpp:"});
    expect_says(fault_of([&] { run_block(64, wait_for_all<Flow::two_barriers>, out); }),
                {"expected all threads at one barrier"});
  });
}

enum class Lanes { sound, divergent, not_in_mask, source_not_in_mask, masks_differ, width };

template <Lanes lanes>
__global__ void shuffle(float* out) {
  const int lane = gpu::lane();
  float mine = float(lane);
  if (lanes == Lanes::sound) mine = __shfl_xor_sync(every_lane, mine, 1);
  if (lanes == Lanes::divergent && lane < 8) mine = __shfl_xor_sync(every_lane, mine, 1);
  if (lanes == Lanes::not_in_mask) mine = __shfl_sync(0x0000ffffu, mine, 0);
  if (lanes == Lanes::source_not_in_mask && lane < 16) mine = __shfl_sync(0x0000ffffu, mine, 20);
  if (lanes == Lanes::masks_differ) mine = __shfl_sync(lane ? every_lane : 0xffu, mine, 0);
  if (lanes == Lanes::width) mine = __shfl_sync(every_lane, mine, 0, 12);
  out[threadIdx.x] = mine;
}

TEST_F(EmulatorFaults, MisusedWarpOperations) {
  Shared<float> out(64);
  const auto fault = [&](auto kernel) { return fault_of([&] { run_block(64, kernel, out); }); };
  for_each_thread_order([&] {
    EXPECT_EQ(fault(shuffle<Lanes::sound>), "");
    expect_says(fault(shuffle<Lanes::divergent>),
                {"48 done", "16 at __shfl_xor_sync (emulator_faults_test.cpp:", "0xffffffff"});
    expect_says(fault(shuffle<Lanes::not_in_mask>), {"expected a lane in its own mask"});
    expect_says(fault(shuffle<Lanes::source_not_in_mask>),
                {"expected every lane to read from a lane in the mask", "0x0000ffff"});
    expect_says(fault(shuffle<Lanes::masks_differ>), {"__shfl_sync"});
    expect_says(fault(shuffle<Lanes::width>), {"power of two up to 32, got 12"});
  });
}

TEST_F(EmulatorFaults, TheDeviceGoesOnAfterAFault) {
  Shared<int> out(64);
  for (int i = 0; i < 100; i++) {
    EXPECT_NE(fault_of([&] { run_block(64, wait_for_all<Flow::early_return>, out); }), "");
  }
  EXPECT_EQ(fault_of([&] { run_block(64, wait_for_all<Flow::sound>, out); }), "");
}

TEST_F(EmulatorFaults, LaunchesThatNoGpuWouldTake) {
  Shared<int> out(64);
  const auto fault = [&](const gpu::Launch& how) {
    return fault_of([&] { gpu::launch(how, wait_for_all<Flow::sound>, out); });
  };
  expect_says(fault({"wide", {1}, {2048}}), {"[kernel wide]", "1 to 1024 threads", "2048"});
  expect_says(fault({"empty", {0}, {32}}), {"expected a grid of 1 to"});
  expect_says(fault({"tall", {1, 70000}, {32}}), {"65535", "70000"});
  expect_says(fault({"greedy", {1}, {32}, {}, 300 << 10}),
              {"[greedy]", "307200 bytes of shared memory"});
}

// ---- memory ------------------------------------------------------------------------------------

__global__ void write_at(float* out, int64_t at) {
  if (threadIdx.x == 0) out[at] = 1;
}

TEST_F(EmulatorFaults, WritesOutsideOfDeviceMemory) {
  auto* const memory = static_cast<float*>(allocate(Cuda{}, 100 * sizeof(float)));
  EXPECT_EQ(fault_of([&] { run_block(32, write_at, memory, int64_t{99}); }), "");
  if (emulator::under_asan) {
    EXPECT_DEATH(run_block(32, write_at, memory, int64_t{100}), "heap-buffer-overflow.*");
  } else {
    expect_says(fault_of([&] { run_block(32, write_at, memory, int64_t{100}); }),
                {"[kernel planted]", "one behind a piece of 400 bytes"});
    expect_says(fault_of([&] { run_block(32, write_at, memory, int64_t{-1}); }), {"one before"});
    memory[100] = 1;  // nobody's kernel
    expect_says(fault_of([&] { emulator::check_guard_bands(); }), {"[device memory]"});
    EXPECT_EQ(fault_of([&] { emulator::check_guard_bands(); }), "") << "is reported once";
  }
  release(Cuda{}, memory);
}

__global__ void write_dynamic(float* out, int at) {
  float* const shared = gpu::dynamic_shared<float>();
  if (threadIdx.x == 0) shared[at] = 1;
  __syncthreads();
  out[threadIdx.x] = shared[threadIdx.x];
}

TEST_F(EmulatorFaults, DynamicSharedMemory) {
  Shared<float> out(32);
  const auto launch = [&](size_t bytes, int at) {
    gpu::launch({"dynamic", {1}, {32}, {}, bytes}, write_dynamic, out, at);
  };
  launch(128, 3);
  EXPECT_EQ(out[3], 1.0f);
  EXPECT_TRUE(std::isnan(out[4])) << "what nobody wrote";
  expect_says(fault_of([&] { launch(0, 0); }), {"expected no use of dynamic shared memory"});
  if (emulator::under_asan) {
    EXPECT_DEATH(launch(128, 32), "heap-buffer-overflow");
  } else {
    expect_says(fault_of([&] { launch(128, 32); }), {"[kernel dynamic]", "within 128 bytes"});
  }
}

__global__ void write_static(float* out, int at) {
  __shared__ float shared[32];
  if (threadIdx.x == 0) shared[at] = 1;
  __syncthreads();
  out[threadIdx.x] = shared[threadIdx.x];
}

TEST_F(EmulatorFaults, StaticSharedMemory) {
  Shared<float> out(32);
  run_block(32, write_static, out, 3);
  EXPECT_EQ(out[3], 1.0f);
  if (!emulator::under_asan) {
    if (!emulator::under_tsan) {
      EXPECT_TRUE(std::isnan(out[4])) << "what nobody wrote";
    }
    GTEST_SKIP() << "finding writes outside of it needs AddressSanitizer";
  }
  EXPECT_DEATH(run_block(32, write_static, out, 32), "out of bounds|global-buffer-overflow");
}

__global__ void copy_one(float* out, const float* in) { out[threadIdx.x] = in[threadIdx.x]; }

TEST_F(EmulatorFaults, MemoryThatNobodyWroteIsNaN) {
  auto* const fresh = static_cast<float*>(allocate(Cuda{}, 32 * sizeof(float)));
  Shared<float> out(std::vector<float>(32, 1.0f));
  run_block(32, copy_one, out, fresh);
  for (int i = 0; i < 32; i++) EXPECT_TRUE(std::isnan(out[i]));
  release(Cuda{}, fresh);
}

template <bool sound>
__global__ void copy_asynchronously(float* out, const float* in) {
  __shared__ float stage[32];
  emulator::copy_async(stage + threadIdx.x, in + threadIdx.x, 4);
  emulator::copy_async_commit();
  emulator::copy_async_wait(sound ? 0 : 1);
  __syncthreads();
  out[threadIdx.x] = stage[31 - threadIdx.x];
}

TEST_F(EmulatorFaults, AsynchronousCopiesThatNobodyWaitsFor) {
  Shared<float> in(std::vector<float>(32, 2.0f)), out(32);
  run_block(32, copy_asynchronously<true>, out, in);
  EXPECT_EQ(out[5], 2.0f);
  run_block(32, copy_asynchronously<false>, out, in);
  EXPECT_TRUE(std::isnan(out[5]));
}

TEST_F(EmulatorFaults, PointersOfTheHost) {
  float on_host[4] = {};
  auto* const on_device = static_cast<float*>(allocate(Cuda{}, sizeof on_host));
  const size_t bytes = sizeof on_host;
  upload(Cuda{}, on_device, on_host, bytes, {});
  download(Cuda{}, on_host, on_device, bytes, {});
  expect_says(fault_of([&] { upload(Cuda{}, on_host, on_host, bytes, {}); }),
              {"expected memory of the device to copy to, got memory of the host"});
  expect_says(fault_of([&] { copy(Cuda{}, on_device, on_host, bytes, {}); }),
              {"expected memory of the device to copy from"});
  expect_says(fault_of([&] { download(Cuda{}, on_device, on_device, bytes, {}); }),
              {"expected memory of the host to copy to"});
  expect_says(fault_of([&] { fill(Cuda{}, on_host, 0, bytes, {}); }), {"memory of the device"});
  expect_says(fault_of([&] { fill(Cuda{}, on_device, 0, bytes + 1, {}); }), {"leaves its piece"});
  EXPECT_TRUE(emulator::is_device_pointer(on_device + 3));
  EXPECT_FALSE(emulator::is_device_pointer(on_host));
  release(Cuda{}, on_device);
  EXPECT_FALSE(emulator::is_device_pointer(on_device));
}

struct Somewhere {
  bool flag;
  const float* from;
};
__global__ void read_from(float* out, Somewhere where) { *out = *where.from; }

TEST_F(EmulatorFaults, ArgumentsOfTheHost) {
#if !__has_builtin(__builtin_clear_padding)
  GTEST_SKIP() << "this compiler cannot tell arguments from what lies between them";
#endif
  if (emulator::under_asan || emulator::under_tsan) GTEST_SKIP() << "not looked for there";
  Shared<float> out(1), in(std::vector<float>(2, 3.0f));
  const auto read = [&](const float* from) {
    gpu::launch({"read", 1, 32}, read_from, static_cast<float*>(out), Somewhere{true, from});
    synchronize(Cuda{}, {});
  };
  read(in);
  EXPECT_EQ(out[0], 3.0f);
  const float on_stack = 0;
  const std::vector<float> on_heap(1);
  for (const float* const from : {&on_stack, on_heap.data()}) {
    expect_says(fault_of([&] { read(from); }),
                {"[kernel read] expected arguments that point to device memory"});
  }
}

}  // namespace
}  // namespace rlhf
