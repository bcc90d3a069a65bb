// rlhf bench: how fast this machine trains and generates, held against what it could do. The table
// is llama-bench's: a row for each model and piece of work, mean and deviation over repetitions.
#include <fmt/core.h>

#include <map>
#include <memory>

#include "apps/bench_flags.h"
#include "apps/bench_table.h"
#include "apps/bench_tests.h"
#include "apps/commands.h"
#include "apps/print.h"
#include "apps/progress.h"
#include "apps/terminal.h"
#include "bench/measure/peak_memory.h"
#include "kernels/cpu/support/gemm_options.h"
#include "kernels/device_report.h"

namespace rlhf {
namespace {

BenchRow measure(const BenchFlags& flags, const BenchModel& model, const BenchTest& test,
                 const Placement& placement, const bench::Ceilings& ceilings, int64_t threads) {
  BenchRow row{.model = model.name,
               .config = model.config,
               .placement = placement,
               .weights = flags.weights.dtype(placement.dtype),
               .threads = threads,
               .test = test,
               .ceilings = ceilings,
               .bf16_products = cpu::gemm_options().products == cpu::Products::bf16};
  for_each_parameter_shape(
      model.config, [&](const auto&, const Shape& shape) { row.parameters += shape.count(); });
  const bool on_cpu = placement.device == Device::cpu;
  const bool tells_memory = bench::forget_peak_memory() && test.memory && on_cpu;
  Progress progress(fmt::format("{} {}", model.name, test.name));
  const bench::Repeats repeats{.warm_up = flags.warmup,
                               .timed = flags.repetitions,
                               .on_done = [&](int64_t done, int64_t total) {
                                 // In a log one line a row is enough.
                                 if (done == total || is_terminal(2)) progress.update(done, total);
                               }};
  row.seconds = test.time(placement, repeats);
  if (tells_memory) row.peak_bytes = bench::peak_memory();
  return row;
}

int bench_main(const BenchFlags& flags) {
  const BenchSizes sizes = flags.sizes();
  const Placement placement = flags.device.placement();
  flags.weights.check(placement.dtype);
  const std::vector<BenchModel> models = flags.models();
  const DeviceReport device =
      on_device(placement.device, [](auto tag) { return device_report(tag); });
  std::map<int64_t, bench::Ceilings> ceilings;
  for (const int64_t threads : sizes.threads) {
    if (placement.device != Device::cpu || ceilings.contains(threads)) continue;
    if (ceilings.empty()) {
      note("{}, kernels for {}\n", escape_line(device.name), device.instructions);
    }
    ceilings[threads] = bench::measure_ceilings(int(threads));
    note("ceilings of {}\n", bench::ceilings_text(ceilings[threads]));
  }
  std::vector<BenchRow> rows;
  for (const BenchModel& model : models) {
    for (const int64_t threads : sizes.threads) {
      bench::use_threads(int(threads));
      for (const BenchTest& test : bench_tests(flags, sizes, model, placement.dtype)) {
        rows.push_back(measure(flags, model, test, placement, ceilings[threads], threads));
        rows.back().device = device;
      }
    }
  }
  const std::string& format = flags.output_format;
  say("{}", format == "json"  ? bench_json(rows)
            : format == "csv" ? bench_csv(rows)
                              : bench_markdown(rows));
  return 0;
}

}  // namespace

Command bench_command() {
  const auto flags = std::make_shared<BenchFlags>();
  return {.name = "bench",
          .summary = "measure how fast this machine trains and generates",
          .example =
              "rlhf bench --test train,decode\n"
              "  rlhf bench --test train --device cpu --bf16\n"
              "  rlhf bench --shape demo,gpt2 --threads 1,2 --output_format json\n"
              "  rlhf bench --test prompt,decode,rollout --weight_dtype int8\n"
              "  rlhf bench --model_name_or_path runs/demo/ppo --repetitions 20",
          .declare = [flags](Flags& f) { flags->declare(f); },
          .run = [flags](const Invocation&) { return bench_main(*flags); }};
}

}  // namespace rlhf
