// Every kernel case (tests/cases) through every runner that applies to it, in float and in double.
#include <gtest/gtest.h>
#include <omp.h>

#include <cctype>
#include <ostream>

#include "tests/case_runners.h"

namespace rlhf {
namespace {

/// The same bits from one thread and from two, forward or backward.
void test_threads(const Case& c, Element element, bool backward) {
  const auto run_with = [&](int threads) {
    omp_set_num_threads(threads);
    const Instance instance =
        backward ? make_backward(c, element, Device::cpu) : make(c.forward, element);
    run_guarded(instance, Device::cpu);
    return instance;
  };
  const int before = omp_get_max_threads();
  const Instance one = run_with(1);
  const Instance two = run_with(2);
  omp_set_num_threads(before);
  expect_same_bits(one, two);
}

struct Run {
  std::string name;
  std::function<void()> body;

  friend void PrintTo(const Run& run, std::ostream* out) { *out << run.name; }
};

std::vector<Run> all_runs() {
  std::vector<Run> runs;
  for (const Case& c : case_table().tests) {
    const auto add = [&](const char* runner, auto body) {
      std::string name = c.name + "_" + c.label + "_" + runner;
      for (char& letter : name) {
        if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
      }
      runs.push_back({name, [&c, body] { body(c); }});
    };
    constexpr Device device = Device::cpu;
    add("reference_float", [](const Case& x) { test_reference(x, Element::f32, device); });
    add("reference_double", [](const Case& x) { test_reference(x, Element::f64, device); });
    add("threads_float", [](const Case& x) { test_threads(x, Element::f32, false); });
    add("threads_double", [](const Case& x) { test_threads(x, Element::f64, false); });
    if (!c.backward) continue;
    add("gradient", [](const Case& x) { test_gradient(x, device); });
    add("destinations", [](const Case& x) { test_destinations(x, device); });
    add("backward_float", [](const Case& x) { test_backward_precision(x, device); });
    add("backward_threads_float", [](const Case& x) { test_threads(x, Element::f32, true); });
    add("backward_threads_double", [](const Case& x) { test_threads(x, Element::f64, true); });
  }
  return runs;
}

class Kernels : public testing::TestWithParam<Run> {};

TEST_P(Kernels, Case) { GetParam().body(); }

INSTANTIATE_TEST_SUITE_P(All, Kernels, testing::ValuesIn(all_runs()),
                         [](const auto& info) { return info.param.name; });

TEST(KernelTable, HasCases) { EXPECT_FALSE(case_table().tests.empty()); }

}  // namespace
}  // namespace rlhf
