// Times every kernel of the case table in its bench shapes: GB/s (bytes that a contract names, each
// once; twice where it reads and writes them) and GFLOP/s. Google Benchmark's own flags apply:
//
//   bench_kernels --benchmark_filter='layer_norm.*/threads:1'
//   bench_kernels --list        the table: families, shapes, directions
#include <benchmark/benchmark.h>
#include <omp.h>

#include <cstdio>
#include <cstring>
#include <set>

#include "tests/case.h"

namespace rlhf {
namespace {

std::shared_ptr<Buffers> aligned_buffers() {
  return std::make_shared<Buffers>(GradientPolicy{}, true);
}

void report(benchmark::State& state, double bytes, double flops) {
  using benchmark::Counter;
  state.counters["GB/s"] = Counter(bytes * 1e-9, Counter::kIsIterationInvariantRate);
  state.counters["GFLOP/s"] = Counter(flops * 1e-9, Counter::kIsIterationInvariantRate);
}

double bytes_moved(const Instance& instance) {
  double bytes = 0;
  for (const Field& field : instance.fields) {
    const bool twice = field.role == Role::inout || field.accumulate;
    bytes += (twice ? 2.0 : 1.0) * double(field.bytes());
  }
  return bytes;
}

/// A backward contract gets what the forward one left (statistics, indices), as in the tests.
Instance fill(const Case& c, bool backward) {
  Instance forward = c.forward(Element::f32, aligned_buffers());
  if (!backward) return forward;
  forward.run(Device::cpu);
  Instance result = c.backward(Element::f32, aligned_buffers());
  for (const Field& field : result.fields) {
    const Field* source = field.role == Role::out ? nullptr : forward.find(field.name);
    for (int64_t i = 0; source && i < field.count; i++) field.set(i, source->get(i));
  }
  return result;
}

void time_kernel(benchmark::State& state, const Case& c, bool backward, int threads) {
  omp_set_num_threads(threads);
  const Instance instance = fill(c, backward);
  for (auto _ : state) instance.run(Device::cpu);
  report(state, bytes_moved(instance), instance.flops);
}

void register_all() {
  std::set<int> thread_counts{1, omp_get_num_procs()};
  for (const Case& c : case_table().benches) {
    for (const int threads : thread_counts) {
      const std::string tail = "/" + c.label + "/threads:" + std::to_string(threads);
      const auto add = [&](const std::string& name, auto&& body) {
        benchmark::RegisterBenchmark((name + tail).c_str(), body)->UseRealTime();
      };
      add(c.name, [&c, threads](auto& state) { time_kernel(state, c, false, threads); });
      if (c.backward) {
        add(c.name + "_backward",
            [&c, threads](auto& state) { time_kernel(state, c, true, threads); });
      }
    }
  }
}

void list() {
  std::printf("%-24s %-28s %-10s %s\n", "family", "shape", "used in", "directions");
  const auto print = [](const std::vector<Case>& cases, const char* use) {
    for (const Case& c : cases) {
      std::printf("%-24s %-28s %-10s %s\n", c.name.c_str(), c.label.c_str(), use,
                  c.backward ? "forward backward" : "forward");
    }
  };
  print(case_table().tests, "tests");
  print(case_table().benches, "benches");
}

}  // namespace
}  // namespace rlhf

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    rlhf::list();
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  rlhf::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
