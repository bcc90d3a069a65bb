// What is done with one case of the table: each runner fills the contracts, runs the kernel and
// asserts. A case knows nothing of devices, so the device is an argument here. What is expected is
// computed on the CPU.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/case.h"

namespace rlhf {

inline Instance make(const Case::Make& fill, Element element, Device device,
                     GradientPolicy policy = {}, bool aligned = false) {
  const Purpose purpose = aligned ? Purpose::aligned_test : Purpose::test;
  return fill(element, std::make_shared<Buffers>(device, policy, purpose));
}

/// Whether a kernel reads what the field holds before.
inline bool read_before(const Field& field) { return field.role != Role::out || field.accumulate; }

/// Gives `to` the values that `from` was filled with, rounded as they are there.
inline void copy_inputs(const Instance& from, const Instance& to) {
  for (const Field& field : to.fields) {
    const Field* source = read_before(field) ? from.find(field.name) : nullptr;
    for (int64_t i = 0; source && i < field.count; i++) field.set(i, source->get(i));
  }
}

/// Fills what a kernel is only to write.
inline void fill_outputs_with_nan(const Instance& instance) {
  for (const Field& field : instance.fields) {
    if (read_before(field) || !field.real()) continue;
    for (int64_t i = 0; i < field.count; i++) field.set(i, NAN);
  }
}

/// Runs the kernel with its pure outputs full of NaN; nothing outside of them may have changed.
inline void run_guarded(const Instance& instance) {
  std::vector<std::vector<char>> before;
  for (const Field& field : instance.fields) {
    const char* bytes = static_cast<const char*>(field.raw());
    if (!field.written()) before.emplace_back(bytes, bytes + field.bytes());
  }
  fill_outputs_with_nan(instance);
  instance.run();
  ASSERT_TRUE(instance.buffers->guards_intact()) << "wrote outside of a buffer";
  size_t next = 0;
  for (const Field& field : instance.fields) {
    if (field.written()) continue;
    const char* bytes = static_cast<const char*>(field.raw());
    ASSERT_TRUE(std::equal(before[next].begin(), before[next].end(), bytes))
        << "changed its input " << field.name;
    next++;
  }
}

/// A backward contract whose inputs come from a run of the forward one.
inline Instance make_backward(const Case& c, Element element, Device device,
                              GradientPolicy policy = {}, bool aligned = false) {
  const Instance forward = make(c.forward, element, device, {}, aligned);
  forward.run();
  Instance backward = make(c.backward, element, device, policy, aligned);
  for (const Field& field : backward.fields) {
    const Field* source = field.role == Role::out ? nullptr : forward.find(field.name);
    if (!source) continue;
    EXPECT_EQ(source->count, field.count) << field.name;
    for (int64_t i = 0; i < field.count; i++) field.set(i, source->get(i));
  }
  return backward;
}

inline void expect_close(const Instance& got, const Instance& want, double tolerance) {
  ASSERT_EQ(got.fields.size(), want.fields.size());
  for (size_t f = 0; f < got.fields.size(); f++) {
    const Field& x = got.fields[f];
    const Field& y = want.fields[f];
    if (!x.written()) continue;
    int64_t wrong = 0, worst = 0;
    double largest = -1;
    for (int64_t i = 0; i < x.count; i++) {
      if (x.get(i) == y.get(i)) continue;                          // infinities among them
      if (std::isnan(x.get(i)) && std::isnan(y.get(i))) continue;  // what nobody is to write
      const double error = std::abs(x.get(i) - y.get(i)) / (1 + std::abs(y.get(i)));
      if (error <= tolerance) continue;
      wrong++;
      if (!(error <= largest)) worst = i, largest = error;
    }
    EXPECT_EQ(wrong, 0) << x.name << "[" << worst << "] is " << x.get(worst) << ", expected "
                        << y.get(worst);
  }
}

inline void expect_same_bits(const Instance& x, const Instance& y) {
  for (const Field& field : x.fields) {
    if (!field.written()) continue;
    const Field* other = y.find(field.name);
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(0, std::memcmp(field.raw(), other->raw(), field.bytes())) << field.name;
  }
}

inline double tolerance_of(const Case& c, Element element) {
  return element == Element::f32   ? c.tolerance.f32
         : element == Element::f64 ? c.tolerance.f64
                                   : c.tolerance.bf16;
}

/// The forward kernel against the textbook. A family without a reference is compared with its own
/// kernel in double, which the other tests of it must then vouch for. `aligned`: in buffers that
/// may be read 16 bytes at a time.
inline void test_reference(const Case& c, Element element, Device device, bool aligned = false) {
  const Instance kernel = make(c.forward, element, device, {}, aligned);
  const Instance expected = make(c.forward, Element::f64, Device::cpu);
  copy_inputs(kernel, expected);
  run_guarded(kernel);
  expected.reference ? expected.reference() : expected.run();
  expect_close(kernel, expected, tolerance_of(c, element));
}

/// The backward kernel against itself in double, which finite differences vouch for.
inline void test_backward_precision(const Case& c, Element element, Device device,
                                    bool aligned = false) {
  const Instance kernel = make_backward(c, element, device, {}, aligned);
  const Instance expected = make_backward(c, Element::f64, Device::cpu);
  if (element == Element::bf16) copy_inputs(kernel, expected);
  run_guarded(kernel);
  expected.run();
  expect_close(kernel, expected, tolerance_of(c, element));
}

/// Two runs give the same bits.
inline void test_repeats(const Case& c, Element element, Device device, bool backward) {
  const auto run_once = [&] {
    const Instance instance =
        backward ? make_backward(c, element, device) : make(c.forward, element, device);
    run_guarded(instance);
    return instance;
  };
  const Instance first = run_once();
  expect_same_bits(first, run_once());
}

/// The change of sum_i d_out_i * out_i when one value of the forward contract goes from `below` to
/// `above`, over all outputs whose gradient the backward contract reads. Differences are taken
/// before they are summed: the parts of the loss that do not move cannot drown those that do.
inline double change_of_loss(const Instance& forward, const Instance& backward, const Field& x,
                             int64_t i, double below, double above) {
  const double value = x.get(i);
  std::vector<std::vector<double>> low;
  const auto for_each_output = [&](auto&& body) {
    for (const Field& gradient : backward.fields) {
      if (gradient.role != Role::in || !gradient.name.starts_with("d_")) continue;
      const Field* out = forward.find(gradient.name.substr(2));
      if (out && out->written()) body(gradient, *out);
    }
  };
  x.set(i, below);
  forward.run();
  for_each_output([&](const Field&, const Field& out) {
    low.emplace_back();
    for (int64_t j = 0; j < out.count; j++) low.back().push_back(out.get(j));
  });
  x.set(i, above);
  forward.run();
  x.set(i, value);
  double change = 0;
  size_t next = 0;
  for_each_output([&](const Field& gradient, const Field& out) {
    for (int64_t j = 0; j < out.count; j++) {
      change += gradient.get(j) * (out.get(j) - low[next][size_t(j)]);
    }
    next++;
  });
  return change;
}

/// Central differences in double against the double backward kernel, at up to 48 places per input.
inline void test_gradient(const Case& c) {
  constexpr double eps = 1e-6;
  constexpr Device device = Device::cpu;
  const Instance forward = make(c.forward, Element::f64, device);
  const Instance inputs = make_backward(c, Element::f64, device);
  const Instance backward = make_backward(c, Element::f64, device);
  run_guarded(backward);
  int checked = 0;
  for (const Field& gradient : backward.fields) {
    if (!gradient.written()) continue;
    const bool in_place = gradient.role == Role::inout;
    const Field* x = forward.find(in_place ? gradient.name : gradient.name.substr(2));
    ASSERT_NE(x, nullptr) << "no forward input has the gradient " << gradient.name;
    ASSERT_EQ(x->count, gradient.count) << gradient.name;
    checked++;
    const int64_t step = std::max<int64_t>(1, x->count / 48);
    for (int64_t k = 0; k < x->count; k += step) {
      const int64_t i = std::min(k + (k / step) % step, x->count - 1);
      const double below = x->get(i) - eps, above = x->get(i) + eps;
      const double slope = change_of_loss(forward, inputs, *x, i, below, above) / (above - below);
      EXPECT_NEAR(gradient.get(i), slope, c.tolerance.gradient * (1 + std::abs(slope)))
          << gradient.name << "[" << i << "]";
    }
  }
  EXPECT_GT(checked, 0);
}

/// Accumulating adds what overwriting writes; a null destination is skipped and changes no other.
inline void test_destinations(const Case& c, Element element, Device device) {
  const Instance plain = make_backward(c, element, device);
  const Instance start = make_backward(c, element, device, {.accumulate = true});
  const Instance added = make_backward(c, element, device, {.accumulate = true});
  run_guarded(plain);
  run_guarded(added);
  // One rounding more in T.
  const double rounding = element == Element::f64 ? 1e-12 : element == Element::f32 ? 1e-6 : 1e-2;
  for (size_t f = 0; f < plain.fields.size(); f++) {
    const Field& sum = added.fields[f];
    if (!sum.accumulate) continue;
    for (int64_t i = 0; i < sum.count; i++) {
      const double want = start.fields[f].get(i) + plain.fields[f].get(i);
      ASSERT_NEAR(sum.get(i), want, rounding * (1 + std::abs(want))) << sum.name << "[" << i << "]";
    }
  }
  for (int absent = 0; absent < plain.buffers->gradients(); absent++) {
    const Instance fewer = make_backward(c, element, device, {.absent = absent});
    run_guarded(fewer);
    expect_same_bits(fewer, plain);
  }
}

}  // namespace rlhf
