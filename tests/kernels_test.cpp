// Every kernel case (tests/cases) through every runner that applies to it: on the CPU in float and
// in double, on the GPU (or its emulation) in float and, where there is a kernel, in bf16.
#include <gtest/gtest.h>

#include <cctype>
#include <ostream>

#include "kernels/cpu/support/gemm_options.h"
#include "kernels/device_report.h"
#include "tests/case_runners.h"
#include "tests/thread_orders.h"
#include "tests/threads.h"

namespace rlhf {
namespace {

/// The same bits from one thread and from two, forward or backward.
void test_threads(const Case& c, Element element, bool backward) {
  const auto run_with = [&](int threads) {
    const WithThreads count(threads);
    const Instance instance =
        backward ? make_backward(c, element, Device::cpu) : make(c.forward, element, Device::cpu);
    run_guarded(instance);
    return instance;
  };
  const Instance one = run_with(1);
  const Instance two = run_with(2);
  expect_same_bits(one, two);
}

/// The same bits in whichever order an emulated GPU runs the threads of a block.
void test_orders(const Case& c, Element element, bool backward) {
  std::vector<Instance> results;
  for_each_thread_order([&] {
    results.push_back(backward ? make_backward(c, element, Device::cuda)
                               : make(c.forward, element, Device::cuda));
    run_guarded(results.back());
  });
  for (const Instance& result : results) expect_same_bits(results.front(), result);
}

/// With products in bfloat16: as exact as in float, of factors that the reference gets rounded.
void test_bf16_products(const Case& c) {
  const cpu::WithGemmOptions scope({cpu::Products::bf16});
  const Instance kernel = make(c.forward, Element::f32, Device::cpu);
  const Instance expected = make(c.forward, Element::f64, Device::cpu);
  copy_inputs(kernel, expected);
  for (const char* factor : {"a", "b"}) {
    const Field& field = *expected.find(factor);
    for (int64_t i = 0; i < field.count; i++) field.set(i, bf16(float(field.get(i))));
  }
  run_guarded(kernel);
  expected.reference();
  expect_close(kernel, expected, c.tolerance.f32);
  if (has_openmp) test_threads(c, Element::f32, false);
}

struct Run {
  std::string name;
  std::function<void()> body;

  friend void PrintTo(const Run& run, std::ostream* out) { *out << run.name; }
};

class RunList {
 public:
  void add(const Case& c, const std::string& runner, std::function<void(const Case&)> body) {
    std::string name = c.name + "_" + c.label + "_" + runner;
    for (char& letter : name) {
      if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
    }
    runs.push_back({name, [&c, body = std::move(body)] { body(c); }});
  }

  std::vector<Run> runs;
};

void add_cpu_runs(RunList& list, const Case& c) {
  constexpr Device cpu = Device::cpu;
  for (const auto& [element, type] : {std::pair{Element::f32, "float"}, {Element::f64, "double"}}) {
    const auto add = [&, type = std::string(type)](const char* runner, auto body) {
      list.add(c, runner + ("_" + type),
               [body, element = element](const Case& x) { body(x, element); });
    };
    add("reference", [](auto& x, Element e) { test_reference(x, e, cpu); });
    if (!has_openmp) continue;
    add("threads", [](auto& x, Element e) { test_threads(x, e, false); });
    if (c.backward) add("backward_threads", [](auto& x, Element e) { test_threads(x, e, true); });
  }
  if (c.name.starts_with("gemm")) list.add(c, "bf16_products", test_bf16_products);
  if (!c.backward) return;
  list.add(c, "gradient", [](auto& x) { test_gradient(x); });
  list.add(c, "destinations", [](auto& x) { test_destinations(x, Element::f64, cpu); });
  list.add(c, "backward_float", [](auto& x) { test_backward_precision(x, Element::f32, cpu); });
}

void add_cuda_runs(RunList& list, const Case& c, Element element) {
  constexpr Device cuda = Device::cuda;
  const auto add = [&](const std::string& runner, auto body) {
    list.add(c, runner + (element == Element::f32 ? "_cuda_float" : "_cuda_bf16"),
             [body, element](const Case& x) { body(x, element); });
  };
  add("reference", [](auto& x, Element e) { test_reference(x, e, cuda); });
  add("aligned", [](auto& x, Element e) { test_reference(x, e, cuda, /*aligned=*/true); });
  const auto add_repeats = [&](const std::string& prefix, bool backward) {
    if (emulated_cuda) {
      add(prefix + "orders", [=](auto& x, Element e) { test_orders(x, e, backward); });
    } else {
      add(prefix + "repeats", [=](auto& x, Element e) { test_repeats(x, e, cuda, backward); });
    }
  };
  add_repeats("", false);
  if (!c.backward) return;
  add("destinations", [](auto& x, Element e) { test_destinations(x, e, cuda); });
  add("backward", [](auto& x, Element e) { test_backward_precision(x, e, cuda); });
  add("backward_aligned", [](auto& x, Element e) { test_backward_precision(x, e, cuda, true); });
  add_repeats("backward_", true);
}

std::vector<Run> all_runs() {
  RunList list;
  const bool gpu = device_problem(Device::cuda).empty();
  for (const Case& c : case_table().tests) {
    add_cpu_runs(list, c);
    if (!gpu) continue;
    add_cuda_runs(list, c, Element::f32);
    if (c.has_bf16()) add_cuda_runs(list, c, Element::bf16);
  }
  return std::move(list.runs);
}

class Kernels : public testing::TestWithParam<Run> {};

TEST_P(Kernels, Case) { GetParam().body(); }

INSTANTIATE_TEST_SUITE_P(All, Kernels, testing::ValuesIn(all_runs()),
                         [](const auto& info) { return info.param.name; });

TEST(KernelTable, HasCases) { EXPECT_FALSE(case_table().tests.empty()); }

TEST(KernelTable, RunsOnAGpu) {
  const std::string problem = device_problem(Device::cuda);
  if (!problem.empty()) GTEST_SKIP() << "all *_cuda_* runs are left out: " << problem;
}

}  // namespace
}  // namespace rlhf
