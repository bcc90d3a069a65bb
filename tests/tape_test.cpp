// The tape: order, nesting, what is skipped, what is recorded at all, and when memory comes back.
#include "core/tape.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "core/allocator.h"
#include "core/ops.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

Tensor parameter(std::vector<double> values) {
  Tensor tensor = Tensor::from(values, {int64_t(values.size())});
  tensor.set_requires_grad(true);
  return tensor;
}

/// An op that leaves a trace: out = in, and d_in += d_out.
Tensor traced(const std::string& name, const Tensor& in, std::string& trace) {
  Tensor out = result(in.shape(), {in});
  out.copy_from(in);
  record("traced", {out}, [=, &trace] {
    trace += name;
    const GradientOut<double> d_in = in.grad_out<double>();
    for (int64_t i = 0; i < in.count(); i++) {
      d_in.data[i] = (d_in.accumulate ? d_in.data[i] : 0) + out.grad_data<double>()[i];
    }
  });
  return out;
}

TEST(Tape, RunsInReverseAndForgets) {
  std::string trace;
  const Tensor x = parameter({3});
  Tape tape;
  const Tensor loss = traced("c", traced("b", traced("a", x, trace), trace), trace);
  tape.backward(loss);
  EXPECT_EQ(trace, "cba");
  tape.backward(loss);
  EXPECT_EQ(trace, "cba") << "forgotten";
  EXPECT_EQ(x.grad().item(), 1);
}

TEST(Tape, SkipsBranchesThatTheLossDoesNotSee) {
  std::string trace;
  const Tensor x = parameter({3}), y = parameter({4});
  Tape tape;
  const Tensor used = traced("a", x, trace);
  traced("u", used, trace);
  traced("v", y, trace);
  tape.backward(traced("b", used, trace));
  EXPECT_EQ(trace, "ba");
  EXPECT_FALSE(y.has_grad());
}

TEST(Tape, FirstWriterOverwritesAndLaterOnesAdd) {
  const Tensor x = parameter({3});
  const auto pass = [&] {
    Tape tape;
    tape.backward(add(x, add(x, x, 10), 100));  // 1 + 100 (1 + 10)
  };
  pass();
  EXPECT_EQ(x.grad().item(), 1101);
  pass();
  EXPECT_EQ(x.grad().item(), 2202) << "a second pass of the same step adds";
  x.gradient()->written = false;
  pass();
  EXPECT_EQ(x.grad().item(), 1101) << "the next step overwrites";
}

TEST(Tape, PassedGradientsShareMemoryUntilSomebodyAdds) {
  const Tensor x = parameter({3}), y = parameter({4});
  const auto pass = [&](float scale) {
    Tape tape;
    tape.backward(add(x, y, scale));
  };
  pass(1);
  EXPECT_EQ(x.grad_data<double>(), y.grad_data<double>());
  pass(2);
  EXPECT_EQ(x.grad().item(), 2);
  EXPECT_EQ(y.grad().item(), 3);
  for (const Tensor& t : {x, y}) t.gradient()->written = false;
  pass(5);
  EXPECT_EQ(x.grad().item(), 1);
  EXPECT_EQ(y.grad().item(), 5);
}

TEST(Tape, WithoutATapeNothingIsRecorded) {
  const Tensor x = parameter({3});
  const Tensor y = add(x, x);
  EXPECT_FALSE(y.requires_grad());
  EXPECT_EQ(Tape::current(), nullptr);
  Tape tape;
  EXPECT_FALSE(add(Tensor::from(std::vector<double>{1}, {1}), y).requires_grad())
      << "no input wants a gradient";
  EXPECT_EQ(message_of<Error>([&] { tape.backward(y); }),
            "[backward] expected a loss that depends on a tensor with requires_grad, got one that "
            "does not");
}

TEST(Tape, RefusesALossOfSeveralElements) {
  const Tensor x = parameter({1, 2});
  Tape tape;
  const Tensor y = add(x, x);
  EXPECT_EQ(message_of<Error>([&] { tape.backward(y); }),
            "[backward] expected a loss of one element, got shape (2)");
}

TEST(Tape, Nests) {
  const Tensor x = parameter({3}), y = parameter({5});
  Tape outer;
  const Tensor outer_loss = add(x, x);
  {
    Tape inner;
    EXPECT_EQ(Tape::current(), &inner);
    inner.backward(add(y, y, 2));
    EXPECT_EQ(y.grad().item(), 3);
    EXPECT_FALSE(x.has_grad());
  }
  EXPECT_EQ(Tape::current(), &outer);
  outer.backward(add(outer_loss, y));
  EXPECT_EQ(x.grad().item(), 2);
  EXPECT_EQ(y.grad().item(), 4);
}

TEST(Tape, BelongsToItsThread) {
  const Tensor x = parameter({3});
  Tape tape;
  std::thread([&] {
    EXPECT_EQ(Tape::current(), nullptr);
    EXPECT_FALSE(add(x, x).requires_grad());
  }).join();
  EXPECT_EQ(Tape::current(), &tape);
}

TEST(Tape, FreesSavedTensorsWhileItUnwinds) {
  const Allocator& allocator = Allocator::of(Device::cpu);
  constexpr int64_t count = 4096;
  constexpr size_t block = count * sizeof(double);
  constexpr int depth = 10;
  const Tensor x = parameter(std::vector<double>(count, 1.0));
  const Tensor weight = Tensor::from(std::vector<double>(count, 1.0), {count});
  {  // the gradient of a loss, 1, is made once and stays
    const Tensor any = parameter({1.0});
    Tape tape;
    tape.backward(weighted_sum(any, any));
  }
  const size_t before = allocator.statistics().live;
  std::vector<size_t> live;  // when the backward of each step is reached
  {
    Tape tape;
    Tensor y = x;
    for (int step = 0; step < depth; step++) {
      y = add(y, y);
      record("watch", {y}, [&] { live.push_back(allocator.statistics().live); });
    }
    Tensor loss = weighted_sum(y, weight);
    y = {};
    EXPECT_GE(allocator.statistics().live - before, depth * block);
    tape.backward(loss);
  }
  ASSERT_EQ(live.size(), size_t(depth));
  // Each step back gives up one activation with its gradient and asks for one gradient.
  for (int step = 1; step < depth; step++) {
    EXPECT_EQ(live[size_t(step - 1)] - live[size_t(step)], block) << step;
  }
  EXPECT_EQ(allocator.statistics().live - before, block) << "the parameter's gradient stays";
  EXPECT_EQ(x.grad().to_vector<double>()[0], 1024);
}

TEST(Tape, FreesWhatIsNeverUnwound) {
  const Tensor x = parameter(std::vector<double>(1000, 1.0));
  const size_t before = Allocator::of(Device::cpu).statistics().live;
  {
    Tape tape;
    add(add(x, x), x);
    EXPECT_GT(Allocator::of(Device::cpu).statistics().live, before);
  }
  EXPECT_EQ(Allocator::of(Device::cpu).statistics().live, before);
}

}  // namespace
}  // namespace rlhf
