// Times every kernel of the case table in its bench shapes, on the CPU or on a GPU: GB/s (bytes
// that a contract names, each once; twice where it reads and writes them) and GFLOP/s; on the CPU
// also their share of the ceilings that the program measures first. Google Benchmark's own flags
// apply:
//
//   bench_kernels --benchmark_filter='layer_norm.*/threads:1'
//   bench_kernels --device=cuda --benchmark_filter='attention/'
//   bench_kernels --list        the table: families, shapes, directions
#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <set>

#include "bench/ceiling_counters.h"
#include "kernels/device_report.h"
#include "tests/case.h"

namespace rlhf {
namespace {

double bytes_moved(const Instance& instance) {
  double bytes = 0;
  for (const Field& field : instance.fields) {
    const bool twice = field.role == Role::inout || field.accumulate;
    bytes += (twice ? 2.0 : 1.0) * double(field.bytes());
  }
  return bytes;
}

/// A backward contract gets what the forward one left (statistics, indices), as in the tests.
Instance fill(const Case& c, bool backward, Element element, Device device) {
  const auto make = [&](const Case::Make& maker) {
    return maker(element, std::make_shared<Buffers>(device, GradientPolicy{}, Purpose::bench));
  };
  Instance forward = make(c.forward);
  if (!backward) return forward;
  forward.run();
  Instance result = make(c.backward);
  for (const Field& field : result.fields) {
    const Field* source = field.role == Role::out ? nullptr : forward.find(field.name);
    if (!source) continue;
    on_device(device, [&](auto tag) {
      copy(tag, const_cast<void*>(field.raw()), source->raw(), field.bytes(), Stream{});
      synchronize(tag, Stream{});
    });
  }
  return result;
}

void time_on_cpu(benchmark::State& state, const Case& c, bool backward, int threads,
                 const bench::CeilingCounters& ceilings) {
  omp_set_num_threads(threads);
  const Instance instance = fill(c, backward, Element::f32, Device::cpu);
  for (auto _ : state) instance.run();
  ceilings.count(state, threads, instance.flops, bytes_moved(instance));
}

/// Launches follow one another without waiting; one wait ends a batch of them, which is long beside
/// the time that a launch takes the host.
void time_on_gpu(benchmark::State& state, const Case& c, bool backward, Element element) {
  using Clock = std::chrono::steady_clock;
  const Instance instance = fill(c, backward, element, Device::cuda);
  const auto seconds = [&](int launches) {
    const auto start = Clock::now();
    for (int i = 1; i < launches; i++) instance.start();
    instance.run();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  seconds(3);
  const int launches = std::clamp(int(5e-3 / seconds(1)), 4, 1000);
  for (auto _ : state) state.SetIterationTime(seconds(launches) / launches);
  bench::count_rates(state, instance.flops, bytes_moved(instance));
}

void for_each_direction(const Case& c, auto&& body) {
  body(c.name, false);
  if (c.backward) body(c.name + "_backward", true);
}

void register_cpu() {
  const std::set<int> thread_counts{1, omp_get_num_procs()};
  static const bench::CeilingCounters ceilings(thread_counts);
  for (const Case& c : case_table().benches) {
    for (const int threads : thread_counts) {
      for_each_direction(c, [&](const std::string& name, bool backward) {
        const std::string full = name + "/" + c.label + "/threads:" + std::to_string(threads);
        benchmark::RegisterBenchmark(full.c_str(), [=, &c](benchmark::State& state) {
          time_on_cpu(state, c, backward, threads, ceilings);
        })->UseRealTime();
      });
    }
  }
}

void register_gpu() {
  for (const Case& c : case_table().gpu_benches) {
    for (const Element element : {Element::f32, Element::bf16}) {
      if (element == Element::bf16 && !c.has_bf16()) continue;
      for_each_direction(c, [&](const std::string& name, bool backward) {
        const std::string type = element == Element::f32 ? "float" : "bf16";
        const std::string full = name + "/" + c.label + "/" + type;
        benchmark::RegisterBenchmark(full.c_str(), [=, &c](benchmark::State& state) {
          time_on_gpu(state, c, backward, element);
        })->UseManualTime();
      });
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
  print(case_table().gpu_benches, "GPU");
}

/// Takes --device=NAME out of the arguments. @returns false when there is no such device.
bool take_device(int& argc, char** argv, Device& device) {
  constexpr const char* flag = "--device=";
  for (int i = 1; i < argc; i++) {
    if (std::strncmp(argv[i], flag, std::strlen(flag)) != 0) continue;
    const std::string name = argv[i] + std::strlen(flag);
    device = name == "cuda" ? Device::cuda : Device::cpu;
    std::string problem = device_problem(device);
    if (name != "cpu" && name != "cuda") problem = "expected cpu or cuda, got " + name;
    if (!problem.empty()) {
      std::fprintf(stderr, "bench_kernels: [--device] %s\n", problem.c_str());
      return false;
    }
    std::copy(argv + i + 1, argv + argc + 1, argv + i);
    argc--;
    i--;
  }
  return true;
}

}  // namespace
}  // namespace rlhf

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    rlhf::list();
    return 0;
  }
  rlhf::Device device = rlhf::Device::cpu;
  if (!rlhf::take_device(argc, argv, device)) return 2;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  device == rlhf::Device::cpu ? rlhf::register_cpu() : rlhf::register_gpu();
  benchmark::RunSpecifiedBenchmarks();
}
