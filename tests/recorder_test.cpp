// Work that is recorded once and replayed: on what inputs hold now, in memory of its own.
#include "core/recorder.h"

#include <gtest/gtest.h>

#include "core/ops.h"
#include "tests/gpu.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

Tensor numbers(int64_t count, float first) {
  std::vector<float> values;
  for (int64_t i = 0; i < count; i++) values.push_back(first + float(i));
  return Tensor::from(values, {count});
}

/// x + 2 (x + y), and how often the host has been through it.
struct Sum {
  int calls = 0;
  Recorder::Work work() {
    return [this](const std::vector<Tensor>& in) -> std::vector<Tensor> {
      calls++;
      const Tensor y = in[1].defined() ? in[1] : in[0];
      return {add(in[0], add(in[0], y), 2)};
    };
  }
};

std::vector<float> expected(int64_t count, float x, float y) {
  std::vector<float> values;
  for (int64_t i = 0; i < count; i++) values.push_back(3 * (x + float(i)) + 2 * (y + float(i)));
  return values;
}

TEST(Recorder, TheCpuCallsTheFunction) {
  Sum sum;
  Recorder recorder(Device::cpu);
  for (int call = 1; call <= 3; call++) {
    EXPECT_EQ(recorder(sum.work(), {numbers(4, float(call)), numbers(4, 2)})[0].to_vector<float>(),
              expected(4, float(call), 2));
    EXPECT_EQ(sum.calls, call);
  }
}

TEST(Recorder, ReplaysOnWhatTheInputsHoldNow) {
  RLHF_NEEDS_GPU();
  Sum sum;
  Recorder recorder(Device::cuda);
  for (int call = 1; call <= 5; call++) {
    const auto x = float(call), y = float(10 * call);
    const Tensor there = numbers(7, y).to(Device::cuda);
    EXPECT_EQ(recorder(sum.work(), {numbers(7, x), there})[0].to_vector<float>(), expected(7, x, y))
        << call;
  }
  EXPECT_EQ(sum.calls, 2) << "once to run and once to record";
}

TEST(Recorder, TellsShapesAndVariantsApart) {
  RLHF_NEEDS_GPU();
  Sum sum;
  Recorder recorder(Device::cuda);
  for (int call = 1; call <= 4; call++) {
    const auto x = float(call);
    EXPECT_EQ(recorder(sum.work(), {numbers(5, x), numbers(5, 1)})[0].to_vector<float>(),
              expected(5, x, 1));
    EXPECT_EQ(recorder(sum.work(), {numbers(3, x), numbers(3, 1)})[0].to_vector<float>(),
              expected(3, x, 1));
    EXPECT_EQ(recorder(sum.work(), {numbers(3, x), {}})[0].to_vector<float>(), expected(3, x, x));
    EXPECT_EQ(recorder(sum.work(), {numbers(3, x), {}}, "other")[0].to_vector<float>(),
              expected(3, x, x));
  }
  EXPECT_EQ(sum.calls, 8);
}

TEST(Recorder, RunsEveryTimeWhenItIsNotToRecord) {
  RLHF_NEEDS_GPU();
  Sum sum;
  Recorder recorder(Device::cuda, /*records=*/false);
  for (int call = 1; call <= 3; call++) {
    EXPECT_EQ(recorder(sum.work(), {numbers(4, float(call)), {}})[0].to_vector<float>(),
              expected(4, float(call), float(call)));
    EXPECT_EQ(sum.calls, call);
  }
  EXPECT_EQ(recorder.kinds(), 0u);
}

TEST(Recorder, ForgetsWhatHasNotBeenUsedForLongest) {
  RLHF_NEEDS_GPU();
  Sum sum;
  Recorder recorder(Device::cuda);
  constexpr auto most = int64_t(Recorder::kMostKinds);
  const auto run = [&](int64_t count) {
    EXPECT_EQ(recorder(sum.work(), {numbers(count, 1), {}})[0].to_vector<float>(),
              expected(count, 1, 1));
    return sum.calls;
  };
  for (int64_t count = most; count >= 1; count--) run(count), run(count);
  EXPECT_EQ(recorder.kinds(), size_t(most));
  const int calls = run(most);
  EXPECT_EQ(calls, 2 * most) << "all of them are recorded";
  recorder(sum.work(), {numbers(1, 1), {}}, "new");
  EXPECT_EQ(recorder.kinds(), size_t(most));
  EXPECT_EQ(run(most), calls + 1) << "used a moment ago";
  EXPECT_EQ(run(most - 1), calls + 2) << "the one that had to go";
}

TEST(Recorder, ManyShapesTakeLittleMoreMemoryThanTheLargest) {
  RLHF_NEEDS_GPU();
  // The sum of 9 x^2, with eight tensors on the way that are all needed to the end.
  const Recorder::Work work = [](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    std::vector<Tensor> sums{in[0]};
    for (int i = 0; i < 8; i++) sums.push_back(add(sums.back(), in[0]));
    return {weighted_sum(sums.back(), in[0])};
  };
  const Allocator& device = Allocator::of(Device::cuda);
  const size_t before = device.statistics().live;
  Recorder recorder(Device::cuda);
  constexpr int64_t largest = 1 << 14;
  const auto run = [&](int64_t count) {
    for (int call = 0; call < 3; call++) {
      const Tensor ones = Tensor::from(std::vector<float>(size_t(count), 1), {count});
      EXPECT_EQ(recorder(work, {ones})[0].item(), 9.0 * double(count));
    }
    return device.statistics().live - before;
  };
  for (int64_t count = largest / 2; count < largest; count += largest / 16) run(count);
  const size_t alone = run(largest);
  EXPECT_EQ(recorder.kinds(), 1u) << "what is larger than all before makes them start again";
  size_t together = 0, own = 0;
  for (int64_t count = largest / 2; count < largest; count += largest / 16) {
    together = run(count);
    own += Allocator::size_class(sizeof(float) * size_t(count)) + 512;
  }
  EXPECT_EQ(recorder.kinds(), 9u);
  EXPECT_LE(together, alone + own) << "inputs and results are each one's own";
}

TEST(Recorder, GivesWayWhenThereIsNoMemoryLeft) {
  RLHF_NEEDS_GPU();
  Sum sum;
  Recorder recorder(Device::cuda);
  const auto run = [&](int64_t count, float x) {
    const Tensor out = recorder(sum.work(), {numbers(count, x), {}})[0];
    EXPECT_EQ(out.to_vector<float>(), expected(count, x, x));
    return out;
  };
  for (const int64_t count : {5000, 4000, 3000}) run(count, 1), run(count, 2);
  const Tensor latest = run(3000, 3);
  const size_t before = Allocator::of(Device::cuda).statistics().live;
  EXPECT_THROW(Tensor::empty({int64_t{1} << 50}, DType::f32, Device::cuda), Error);
  EXPECT_LT(Allocator::of(Device::cuda).statistics().live, before);
  EXPECT_EQ(recorder.kinds(), 1u);
  EXPECT_EQ(latest.to_vector<float>(), expected(3000, 3, 3)) << "may still be wanted";
  for (const int64_t count : {5000, 4000, 3000}) {
    for (const float x : {4.0f, 5.0f, 6.0f}) run(count, x);
  }
}

TEST(Recorder, NothingGivesWayWhileLaunchesAreRecorded) {
  RLHF_NEEDS_GPU();
  Sum sum;
  Recorder recorder(Device::cuda), greedy(Device::cuda);
  const auto run = [&](float x) {
    EXPECT_EQ(recorder(sum.work(), {numbers(9, x), {}})[0].to_vector<float>(), expected(9, x, x));
  };
  run(1), run(2), recorder(sum.work(), {numbers(5, 1), {}});
  bool asks = false;
  const Recorder::Work work = [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    if (asks) Tensor::empty({int64_t{1} << 50}, DType::f32, Device::cuda);
    return {add(in[0], in[0])};
  };
  greedy(work, {numbers(3, 1)});
  asks = true;
  EXPECT_THROW(greedy(work, {numbers(3, 1)}), Error);
  EXPECT_EQ(recorder.kinds(), 2u);
  run(3);
  asks = false;
  const std::vector<float> doubled{2, 4, 6};
  EXPECT_EQ(greedy(work, {numbers(3, 1)})[0].to_vector<float>(), doubled);
}

TEST(Recorder, NobodyElseGetsItsMemory) {
  RLHF_NEEDS_GPU();
  Sum sum;
  const size_t live = Allocator::of(Device::cuda).statistics().live;
  {
    Recorder recorder(Device::cuda);
    const auto run = [&] { return recorder(sum.work(), {numbers(100, 1), numbers(100, 2)})[0]; };
    run(), run();
    std::vector<Tensor> others;  // of the size of what lies between the two additions
    for (int i = 0; i < 20; i++) others.push_back(Tensor::zeros({100}, DType::f32, Device::cuda));
    EXPECT_EQ(run().to_vector<float>(), expected(100, 1, 2));
    for (const Tensor& other : others) {
      EXPECT_EQ(other.to_vector<float>(), std::vector<float>(100, 0));
    }
  }
  EXPECT_EQ(Allocator::of(Device::cuda).statistics().live, live) << "given back at the end";
}

TEST(Recorder, AFailureWhileRecordingLeavesTheDeviceUsable) {
  RLHF_NEEDS_GPU();
  int calls = 0;
  Recorder recorder(Device::cuda);
  const auto work = [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    check(++calls != 2, "test", "expected another call than the second");
    return {add(in[0], in[0])};
  };
  const auto run = [&] { return recorder(work, {numbers(3, 1)})[0].to_vector<float>(); };
  const std::vector<float> doubled{2, 4, 6};
  EXPECT_EQ(run(), doubled);
  EXPECT_EQ(message_of<Error>(run), "[test] expected another call than the second");
  EXPECT_EQ(run(), doubled);
  EXPECT_EQ(run(), doubled);
  EXPECT_EQ(calls, 3);
}

TEST(Recorder, CopiesFromAndToTheHostAreRefused) {
  RLHF_NEEDS_GPU();
  for (const bool down : {false, true}) {
    Recorder recorder(Device::cuda);
    const auto work = [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
      return {add(in[0], down ? Tensor::from(in[0].to_vector<float>(), {3}, Device::cuda)
                              : numbers(3, 1).to(Device::cuda))};
    };
    const auto run = [&] { return recorder(work, {numbers(3, 1)})[0].to_vector<float>(); };
    const std::vector<float> doubled{2, 4, 6};
    EXPECT_EQ(run(), doubled);
    EXPECT_EQ(message_of<std::logic_error>(run),
              "[cuda] expected no copy from or to the host while launches are recorded");
    EXPECT_EQ(Tensor::from(doubled, {3}, Device::cuda).to_vector<float>(), doubled);
  }
}

}  // namespace
}  // namespace rlhf
