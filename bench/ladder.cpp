// Times the ladders (bench/ladder) on a GPU: each rung's time, what it reaches, and its share of
// the limit: of a copy's bytes a second where memory is the limit, of the top rung's own arithmetic
// where that is.
//
//   bench_ladder > ladder.jsonl
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "bench/ladder/problems.h"
#include "kernels/device_report.h"
#include "tests/case.h"

namespace rlhf::ladder {
namespace {

/// The median of nine batches of launches.
double seconds_of(const auto& launch) {
  using Clock = std::chrono::steady_clock;
  const auto batch = [&](int launches) {
    const auto start = Clock::now();
    for (int i = 0; i < launches; i++) launch();
    synchronize(Cuda{}, {});
    return std::chrono::duration<double>(Clock::now() - start).count() / launches;
  };
  batch(2);
  const int launches = std::clamp(int(5e-3 / batch(1)), 1, 1000);
  std::vector<double> times;
  for (int i = 0; i < 9; i++) times.push_back(batch(launches));
  std::nth_element(times.begin(), times.begin() + 4, times.end());
  return times[4];
}

template <class Contract, class... Sizes>
void climb(const char* name, const Ladder<Contract>& rungs, Contract (*problem)(Buffers&, Sizes...),
           std::type_identity_t<Sizes>... sizes) {
  Buffers buffers(Device::cuda, {}, Purpose::bench);
  const Contract contract = problem(buffers, sizes...);
  FieldList list;
  contract.visit(list);
  double bytes = 0;
  for (const Field& field : list.fields) bytes += double(field.bytes());
  for (const Rung<Contract>& rung : rungs) {
    const double seconds = seconds_of([&] { rung.run(contract, {}); });
    fmt::print(
        "{{\"part\": \"ladder\", \"what\": \"{}\", \"engine\": \"{}\", \"seconds\": {:.4g}, "
        "\"bytes\": {:.0f}, \"flops\": {:.0f}}}\n",
        name, rung.name, seconds, bytes, contract.flops());
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace rlhf::ladder

int main() {
  using namespace rlhf;
  const std::string problem = device_problem(Device::cuda);
  if (!problem.empty()) {
    fmt::print(stderr, "bench_ladder: [device] {}\n", problem);
    return 2;
  }
  ladder::climb("matmul 4096 x 4096 x 4096", ladder::matmul(), ladder::matmul_problem, 4096, 4096,
                4096);
  ladder::climb("layer norm 65536 x 768", ladder::layer_norm(), ladder::layer_norm_problem, 65536,
                768);
  ladder::climb("cross-entropy 8192 x 50257", ladder::cross_entropy(),
                ladder::cross_entropy_problem, 8192, 50257);
  ladder::climb("attention 4 x 12 heads x 1024 x 64", ladder::attention(),
                ladder::attention_problem, 4, 1024, 12, 64);
}
