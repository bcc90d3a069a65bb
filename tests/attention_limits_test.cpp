// Attention on GPUs that grant a block less shared memory: 99 KB (Ada, consumer Ampere), 163 KB
// (A100), 227 KB (Hopper). Every shape of head gets tiles that fit, and they compute the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernels/cuda/support/gpu.h"
#include "kernels/trace.h"
#include "tests/case_runners.h"
#include "tests/gpu.h"

namespace rlhf {
namespace {

constexpr size_t kb = 1 << 10;

class SharedLimit {
 public:
  explicit SharedLimit(size_t bytes) : before_(gpu::shared_limit()) {
    gpu::shared_limit() = std::min(before_, bytes);
  }
  ~SharedLimit() { gpu::shared_limit() = before_; }
  SharedLimit(const SharedLimit&) = delete;
  SharedLimit& operator=(const SharedLimit&) = delete;

 private:
  size_t before_;
};

size_t most_shared(const Trace& trace) {
  size_t most = 0;
  for (const TracedRun& run : trace.runs()) {
    for (const LaunchRecord& launch : run.launches) most = std::max(most, launch.shared_bytes);
  }
  return most;
}

class AttentionLimits : public testing::TestWithParam<size_t> {};

TEST_P(AttentionLimits, EveryHeadSizeFitsAndComputesTheSame) {
  RLHF_NEEDS_GPU();
  const SharedLimit limit(GetParam());
  int tested = 0;
  for (const Case& c : case_table().tests) {
    const bool wide = c.label.find("head_") == 0 || c.label.find("dropout_") == 0;
    if (c.name != "attention" || !wide) continue;
    for (const Element element : {Element::f32, Element::bf16}) {
      SCOPED_TRACE(c.label + (element == Element::bf16 ? " bf16" : " float"));
      const Trace trace;
      test_reference(c, element, Device::cuda, /*aligned=*/true);
      test_backward_precision(c, element, Device::cuda, /*aligned=*/true);
      EXPECT_LE(most_shared(trace), GetParam());
      EXPECT_GT(most_shared(trace), 0u);
      tested++;
    }
  }
  EXPECT_GE(tested, 14);
}

TEST_P(AttentionLimits, RepeatsItsBits) {
  RLHF_NEEDS_GPU();
  const SharedLimit limit(GetParam());
  for (const Case& c : case_table().tests) {
    if (c.name != "attention" || c.label != "head_256") continue;
    test_repeats(c, Element::bf16, Device::cuda, /*backward=*/true);
  }
}

INSTANTIATE_TEST_SUITE_P(All, AttentionLimits, testing::Values(99 * kb, 163 * kb, 227 * kb),
                         [](const auto& info) { return std::to_string(info.param / kb) + "_KB"; });

/// The larger the memory, the larger the tiles: otherwise a limit would test nothing of its own.
TEST(AttentionLimits, LargerMemoryIsUsed) {
  RLHF_NEEDS_GPU();
  if (gpu::shared_limit() < 227 * kb) GTEST_SKIP() << "needs a GPU of 227 KB a block";
  std::set<size_t> used;
  for (const size_t bytes : {99 * kb, 163 * kb, 227 * kb}) {
    const SharedLimit limit(bytes);
    for (const Case& c : case_table().tests) {
      if (c.name != "attention" || c.label != "head_256") continue;
      const Trace trace;
      run_guarded(make_backward(c, Element::bf16, Device::cuda, {}, /*aligned=*/true));
      used.insert(most_shared(trace));
    }
  }
  EXPECT_EQ(used.size(), 3u);
}

/// All else has one size for every GPU; the largest tiles are those of products.
TEST(AttentionLimits, ProductsAndSelectionsFitTheLeast) {
  RLHF_NEEDS_GPU();
  const SharedLimit limit(gpu::least_shared_limit);
  const Trace trace;
  for (const Case& c : case_table().tests) {
    const bool large = c.label == "1032x24_24x1048" || c.label == "264x4200_4200x5";
    if (!large && c.name != "sample") continue;
    for (const Element element : {Element::f32, Element::bf16}) {
      if (element == Element::bf16 && !c.has_bf16()) continue;
      run_guarded(make(c.forward, element, Device::cuda, {}, /*aligned=*/true));
    }
  }
  EXPECT_GE(most_shared(trace), 96 * kb) << "of bf16's tiles of 128 x 128";
}

TEST(AttentionLimits, ALaunchBeyondTheLimitSaysSo) {
  RLHF_NEEDS_GPU();
  const SharedLimit limit(99 * kb);
  EXPECT_NO_THROW(gpu::check_shared_bytes(99 * kb, "some_kernel"));
  try {
    gpu::check_shared_bytes(99 * kb + 1, "some_kernel");
    FAIL() << "expected an exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "[some_kernel] expected a GPU with 101377 bytes of shared memory a block, got one "
                 "with 101376");
  }
}

}  // namespace
}  // namespace rlhf
