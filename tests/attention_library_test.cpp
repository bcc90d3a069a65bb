// cuDNN's attention against our own: the same numbers up to rounding, the same bits run after run,
// and only what it is able to compute.
#include "kernels/cuda/support/attention_library.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <thread>

#include "kernels/graph.h"
#include "tests/buffers.h"
#include "tests/gpu.h"

namespace rlhf {
namespace {

using gpu::AttentionLibrary;

/// Ends the test, saying why, unless cuDNN can be asked.
#define RLHF_NEEDS_CUDNN()                                                                \
  RLHF_NEEDS_GPU();                                                                       \
  if (const auto problem =                                                                \
          on_device(Device::cuda, [](auto) { return gpu::attention_library_problem(); }); \
      !problem.empty())                                                                   \
  GTEST_SKIP() << problem

struct Shape {
  int64_t B, T, H, D;
  bool causal = true, packed = true;
};

/// Attention forward and backward over one draw of q, k, v and d_out.
class Attention {
 public:
  explicit Attention(const Shape& s) : s_(s) {
    const int64_t C = s.H * s.D, tokens = s.B * s.T, token = s.packed ? 3 * C : C;
    forward.layout = {.B = s.B,
                      .Tq = s.T,
                      .Tk = s.T,
                      .H = s.H,
                      .D = s.D,
                      .q_token = token,
                      .q_batch = s.T * token,
                      .kv_token = token,
                      .kv_batch = s.T * token,
                      .causal = s.causal};
    const int64_t next = s.packed ? C : tokens * C;  // from q to k, from k to v
    const bf16* const qkv = buffers_.normal<bf16>(3 * tokens * C);
    forward.q = qkv, forward.k = qkv + next, forward.v = qkv + 2 * next;
    forward.scale = float(1 / std::sqrt(double(s.D)));
    forward.out = out = buffers_.output<bf16>(tokens * C);
    forward.lse = lse = buffers_.output<float>(s.B * s.H * s.T);
    d_qkv = buffers_.output<bf16>(3 * tokens * C);
    backward = {.d_q = d_qkv,
                .d_k = d_qkv + next,
                .d_v = d_qkv + 2 * next,
                .d_out = buffers_.normal<bf16>(tokens * C),
                .q = forward.q,
                .k = forward.k,
                .v = forward.v,
                .out = out,
                .lse = lse,
                .layout = forward.layout,
                .scale = forward.scale};
  }

  /// @returns whether the library took both.
  bool by_library() const {
    return on_device(Device::cuda, [&](auto tag) {
      const bool taken =
          gpu::attend_by_library(forward, Stream{}) && gpu::attend_by_library(backward, Stream{});
      synchronize(tag, {});
      return taken;
    });
  }
  void by_ourselves() const {
    on_device(Device::cuda, [&](auto tag) {
      gpu::attention_options().library = AttentionLibrary::native;
      run(tag, forward, {});
      run(tag, backward, {});
      synchronize(tag, {});
    });
  }

  int64_t out_size() const { return s_.B * s_.T * s_.H * s_.D; }
  int64_t lse_size() const { return s_.B * s_.H * s_.T; }
  bool guards_intact() const { return buffers_.guards_intact(); }

  AttentionForward<bf16> forward{};
  AttentionBackward<bf16> backward{};
  bf16 *out, *d_qkv;
  float* lse;

 private:
  Shape s_;
  Buffers buffers_{Device::cuda, {}, Purpose::aligned_test};
};

template <class T>
void expect_near(const T* got, const T* want, int64_t count, double tolerance, const char* what) {
  for (int64_t i = 0; i < count; i++) {
    const double x = double(got[i]), y = double(want[i]);
    ASSERT_LE(std::abs(x - y), tolerance * (1 + std::abs(y))) << what << " at " << i;
  }
}

template <class T>
bool same_bits(const T* x, const T* y, int64_t count) {
  return std::memcmp(x, y, size_t(count) * sizeof(T)) == 0;
}

TEST(AttentionLibrary, AgreesWithOurKernels) {
  RLHF_NEEDS_CUDNN();
  for (const Shape& s : {Shape{4, 1024, 12, 64}, Shape{2, 512, 4, 128}, Shape{2, 200, 3, 64},
                         Shape{1, 33, 2, 80}, Shape{2, 128, 2, 64, false},
                         Shape{2, 77, 2, 64, false, false}, Shape{2, 96, 2, 32, true, false}}) {
    SCOPED_TRACE("B " + std::to_string(s.B) + ", T " + std::to_string(s.T) + ", H " +
                 std::to_string(s.H) + ", D " + std::to_string(s.D) + (s.causal ? ", causal" : ""));
    const Attention theirs(s), ours(s);
    ASSERT_TRUE(theirs.by_library());
    ours.by_ourselves();
    expect_near(theirs.lse, ours.lse, ours.lse_size(), 1e-3, "lse");
    expect_near(theirs.out, ours.out, ours.out_size(), 1e-2, "out");
    expect_near(theirs.d_qkv, ours.d_qkv, 3 * ours.out_size(), 3e-2, "gradients");
    EXPECT_TRUE(theirs.guards_intact());
  }
}

TEST(AttentionLibrary, RepeatsItsBits) {
  RLHF_NEEDS_CUDNN();
  const Shape s{4, 1000, 12, 64};
  const Attention first(s);
  ASSERT_TRUE(first.by_library());
  for (int again = 0; again < 5; again++) {
    const Attention other(s);
    ASSERT_TRUE(other.by_library());
    EXPECT_TRUE(same_bits(other.out, first.out, first.out_size()));
    EXPECT_TRUE(same_bits(other.lse, first.lse, first.lse_size()));
    EXPECT_TRUE(same_bits(other.d_qkv, first.d_qkv, 3 * first.out_size()));
  }
}

TEST(AttentionLibrary, IsChosenByEachThreadForItself) {
  if constexpr (has_cuda) {
    const AttentionLibrary mine = gpu::attention_options().library;
    const auto of_new_thread = [] {
      AttentionLibrary library{};
      std::thread([&] { library = gpu::attention_options().library; }).join();
      return library;
    };
    const AttentionLibrary at_first = of_new_thread();
    std::thread([] { gpu::attention_options().library = AttentionLibrary::cudnn; }).join();
    EXPECT_EQ(of_new_thread(), at_first);
    gpu::begin_attention_with({AttentionLibrary::cudnn});
    EXPECT_EQ(of_new_thread(), AttentionLibrary::cudnn);
    EXPECT_EQ(gpu::attention_options().library, mine);
    gpu::begin_attention_with({at_first});
  }
}

TEST(AttentionLibrary, CanBeRecorded) {
  RLHF_NEEDS_CUDNN();
  const Shape s{2, 256, 2, 64};
  const Attention direct(s), recorded(s);
  ASSERT_TRUE(direct.by_library());
  on_device(Device::cuda, [&](auto tag) {
    if constexpr (std::is_same_v<decltype(tag), Cuda>) {
      begin_recording(tag, {});
      EXPECT_TRUE(gpu::attend_by_library(recorded.forward, Stream{}));
      EXPECT_TRUE(gpu::attend_by_library(recorded.backward, Stream{}));
      void* const recording = end_recording(tag, {});
      replay(tag, recording, {});
      synchronize(tag, {});
      release_recording(tag, recording);
    }
  });
  EXPECT_TRUE(same_bits(recorded.out, direct.out, direct.out_size()));
  EXPECT_TRUE(same_bits(recorded.d_qkv, direct.d_qkv, 3 * direct.out_size()));
}

TEST(AttentionLibrary, LeavesToUsWhatItCannotCompute) {
  RLHF_NEEDS_CUDNN();
  const auto refused = [](auto change) {
    Attention a({2, 64, 2, 64});
    change(a.forward);
    return !on_device(Device::cuda,
                      [&](auto) { return gpu::attend_by_library(a.forward, Stream{}); });
  };
  EXPECT_TRUE(refused([](auto& c) { c.dropout = 0.1f; }));
  EXPECT_TRUE(refused([](auto& c) { c.layout.begin = reinterpret_cast<const int32_t*>(c.lse); }));
  EXPECT_TRUE(refused([](auto& c) { c.layout.Tq = 1; }));
  EXPECT_TRUE(refused([](auto& c) { c.layout.D = 20; }));
  EXPECT_TRUE(refused([](auto& c) { c.q++; }));
}

}  // namespace
}  // namespace rlhf
