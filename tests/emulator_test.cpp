// What emulated kernels compute: the operations of a warp and of a block against plain loops, under
// every order of threads.
#include "kernels/cuda/emulator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/emulator/on_device.h"
#include "tests/thread_orders.h"

namespace rlhf {
namespace {

constexpr unsigned every_lane = 0xffffffffu;

__global__ void identify(int* out) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  out[block * threads + thread] = int(block * threads + thread);
}

TEST(Emulator, EveryThreadOfEveryBlockRunsOnce) {
  for_each_thread_order([] {
    Shared<int> out(3 * 2 * 2 * 5 * 4 * 3);
    gpu::launch({"identify", {3, 2, 2}, {5, 4, 3}}, identify, out);
    std::vector<int> all(size_t(3 * 2 * 2 * 5 * 4 * 3));
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(out.values(), all);
  });
}

__global__ void shuffles(float* out, int width) {
  const int t = int(threadIdx.x), n = int(blockDim.x);
  const float mine = float(t * 10);
  out[t] = __shfl_sync(every_lane, mine, 5, width);
  out[n + t] = __shfl_xor_sync(every_lane, mine, 3, width);
  out[2 * n + t] = __shfl_up_sync(every_lane, mine, 2u, width);
  out[3 * n + t] = __shfl_down_sync(every_lane, mine, 2u, width);
}

TEST(Emulator, ShufflesStayInTheirPartOfTheWarp) {
  constexpr int n = 64;
  for_each_thread_order([] {
    for (const int width : {32, 16, 8}) {
      Shared<float> out(4 * n);
      run_block(n, shuffles, out, width);
      for (int t = 0; t < n; t++) {
        const int begin = t - t % width, last = begin + width - 1;
        EXPECT_EQ(out[t], float(10 * (begin + 5)));
        EXPECT_EQ(out[n + t], float(10 * (t ^ 3)));
        EXPECT_EQ(out[2 * n + t], float(10 * (t - 2 >= begin ? t - 2 : t)));
        EXPECT_EQ(out[3 * n + t], float(10 * (t + 2 <= last ? t + 2 : t)));
      }
    }
  });
}

__global__ void votes(unsigned* out) {
  const int lane = int(threadIdx.x);
  unsigned* const mine = out + lane * 10;
  mine[0] = __ballot_sync(every_lane, lane % 3 == 0);
  mine[1] = unsigned(__any_sync(every_lane, lane == 7));
  mine[2] = unsigned(__all_sync(every_lane, lane != 7));
  mine[3] = __reduce_add_sync(every_lane, unsigned(lane));
  mine[4] = unsigned(__reduce_min_sync(every_lane, lane - 3));
  mine[5] = unsigned(__reduce_max_sync(every_lane, lane - 3));
  mine[6] = __match_any_sync(every_lane, lane % 2);
  const unsigned half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
  mine[7] = __ballot_sync(half, 1);
  if (lane < 16) __syncwarp(half);
  mine[8] = unsigned(__shfl_sync(half, lane, lane < 16 ? 3 : 20));
  mine[9] = 0;
}

TEST(Emulator, VotesAndReductions) {
  for_each_thread_order([] {
    Shared<unsigned> out(320);
    run_block(32, votes, out);
    for (int lane = 0; lane < 32; lane++) {
      const unsigned* const got = out + lane * 10;
      EXPECT_EQ(got[0], 0x49249249u);
      EXPECT_EQ(got[1], 1u);
      EXPECT_EQ(got[2], 0u);
      EXPECT_EQ(got[3], 496u);
      EXPECT_EQ(int(got[4]), -3);
      EXPECT_EQ(int(got[5]), 28);
      EXPECT_EQ(got[6], lane % 2 ? 0xaaaaaaaau : 0x55555555u);
      EXPECT_EQ(got[7], lane < 16 ? 0x0000ffffu : 0xffff0000u);
      EXPECT_EQ(got[8], lane < 16 ? 3u : 20u);
    }
  });
}

/// A product of an 8x4 and a 4x8 matrix spread over a warp, two results a lane.
struct Inputs {
  float a, b;
};
struct Products {
  float c[2];
};

void multiply(const Inputs (&in)[32], Products (&out)[32]) {
  for (int i = 0; i < 64; i++) {
    float sum = 0;
    for (int k = 0; k < 4; k++) sum += in[i / 8 * 4 + k].a * in[i % 8 * 4 + k].b;
    out[i / 2].c[i % 2] = sum;
  }
}

__global__ void collective(float* out) {
  const float lane = float(threadIdx.x % 32);
  const Products mine = emulator::warp_collective<Inputs, Products>({lane, 1 - lane}, multiply);
  out[2 * threadIdx.x] = mine.c[0];
  out[2 * threadIdx.x + 1] = mine.c[1];
}

TEST(Emulator, CollectivesSeeAllLanes) {
  for_each_thread_order([] {
    Shared<float> out(128);
    run_block(64, collective, out);
    for (int i = 0; i < 128; i++) {
      float sum = 0;
      for (int k = 0; k < 4; k++) sum += float(i % 64 / 8 * 4 + k) * (1 - float(i % 8 * 4 + k));
      EXPECT_EQ(out[i], sum);
    }
  });
}

__global__ void block_votes(int* out) {
  const int t = int(threadIdx.x);
  out[3 * t] = __syncthreads_count(t % 3 == 0);
  out[3 * t + 1] = __syncthreads_or(t == 90);
  out[3 * t + 2] = __syncthreads_and(t == 90);
}

TEST(Emulator, BarriersCount) {
  for_each_thread_order([] {
    Shared<int> out(3 * 96);
    run_block(96, block_votes, out);
    for (int t = 0; t < 96; t++) {
      EXPECT_EQ(out[3 * t], 32);
      EXPECT_NE(out[3 * t + 1], 0);
      EXPECT_EQ(out[3 * t + 2], 0);
    }
  });
}

__global__ void count_atomically(int* sum, unsigned* most, unsigned long long* bits, float* total,
                                 int* winner) {
  atomicAdd(sum, int(threadIdx.x));
  atomicMax(most, blockIdx.x * 100 + threadIdx.x);
  atomicOr(bits, 1ull << threadIdx.x % 64);
  atomicAdd(total, 0.5f);
  atomicCAS(winner, -1, int(threadIdx.x));
}

TEST(Emulator, Atomics) {
  for_each_thread_order([] {
    Shared<int> sum(std::vector{0}), winner(std::vector{-1});
    Shared<unsigned> most(std::vector{0u});
    Shared<unsigned long long> bits(std::vector{0ull});
    Shared<float> total(std::vector{0.0f});
    gpu::launch({"atomics", {3}, {64}}, count_atomically, sum, most, bits, total, winner);
    EXPECT_EQ(sum[0], 3 * 63 * 32);
    EXPECT_EQ(most[0], 263u);
    EXPECT_EQ(bits[0], ~0ull);
    EXPECT_EQ(total[0], 96.0f);
    EXPECT_TRUE(winner[0] >= 0 && winner[0] < 64);
  });
}

__global__ void copy_through_shared(float* out, const float* in, int stages) {
  const int t = int(threadIdx.x), n = int(blockDim.x);
  float* const stage = gpu::dynamic_shared<float>();
  for (int s = 0; s < stages; s++) {
    emulator::copy_async(stage + s * n + t, in + s * n + t, 4);
    emulator::copy_async_commit();
  }
  for (int s = 0; s < stages; s++) {
    const int younger = stages - 1 - s;
    emulator::copy_async_wait(younger);
    __syncthreads();
    out[s * n + t] = stage[s * n + n - 1 - t];
    if (s + 1 < stages) out[(s + 1) * n + t] = stage[(s + 1) * n + t];
    __syncthreads();
  }
}

TEST(Emulator, AsynchronousCopiesLandGroupByGroup) {
  constexpr int n = 64, stages = 3;
  for_each_thread_order([&] {
    std::vector<float> in(n * stages);
    std::iota(in.begin(), in.end(), 1.0f);
    Shared<float> from(in), out(n * stages);
    gpu::launch({"copy", {1}, {n}, {}, n * stages * sizeof(float)}, copy_through_shared, out, from,
                stages);
    for (int i = 0; i < n * stages; i++) {
      EXPECT_EQ(out[i], in[size_t(i / n * n + n - 1 - i % n)]) << i;
    }
  });
}

__global__ void fill_from_math(double* out) {
  out[0] = min(3, 2u) + max(1.5f, NAN);
  out[1] = __popc(0xf0f0u) + __ffs(8) + __clz(1) + double(__brev(1u));
  out[2] = __uint_as_float(__float_as_uint(2.5f)) + rsqrtf(4.0f);
  const float4 four = make_float4(1, 2, 3, 4);
  out[3] = __ldg(&four).w + __ldcs(&four.y);
}

TEST(Emulator, FunctionsOfCuda) {
  Shared<double> out(4);
  run_block(1, fill_from_math, out);
  EXPECT_EQ(out[0], 3.5);
  EXPECT_EQ(out[1], 8 + 4 + 31 + 2147483648.0);
  EXPECT_EQ(out[2], 3.0);
  EXPECT_EQ(out[3], 6.0);
}

__global__ void sums(float* out, const float* in, int n) {
  float sum = 0;
  for (int i = int(threadIdx.x); i < n; i += int(blockDim.x)) sum += in[i];
  out[blockIdx.x * blockDim.x + threadIdx.x] =
      gpu::block_sum(sum) + gpu::block_max(float(threadIdx.x), 0.0f);
}

TEST(Emulator, BlockReductionsInEveryOrder) {
  std::vector<float> in(1000, 1.0f);
  Shared<float> from(in);
  for_each_thread_order([&] {
    Shared<float> out(2 * 256);
    gpu::launch({"sums", {2}, {256}}, sums, out, from, 1000);
    for (int i = 0; i < 512; i++) ASSERT_EQ(out[i], 1255.0f);
  });
}

TEST(Emulator, OrdersHaveNames) {
  for (const emulator::Order order : emulator::all_orders) {
    EXPECT_NE(std::string(emulator::name_of(order)), "");
  }
}

}  // namespace
}  // namespace rlhf
