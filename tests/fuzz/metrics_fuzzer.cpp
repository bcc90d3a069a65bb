// metrics.jsonl: what can be read is written again as it was.
#include <cmath>

#include "rl/run/metrics_log.h"
#include "tests/fuzz/fuzz.h"

namespace {

bool same(const rlhf::Metrics& a, const rlhf::Metrics& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first &&
           (x.second == y.second || (std::isnan(x.second) && std::isnan(y.second)));
  });
}

}  // namespace

FUZZ_TARGET(metrics) {
  using namespace rlhf;
  const auto path = fuzz::file_with("metrics.jsonl", bytes);
  const auto lines = fuzz::accepted([&] { return read_metrics(path); });
  if (!lines) return;
  {
    MetricsLog log(path);
    for (const auto& [step, metrics] : *lines) log.write(step, metrics);
  }
  const auto again = read_metrics(path);
  fuzz::expect(again.size() == lines->size(), "as many lines come back as were written");
  for (size_t i = 0; i < again.size(); i++) {
    fuzz::expect(again[i].first == (*lines)[i].first && same(again[i].second, (*lines)[i].second),
                 "metrics survive being written");
  }
}
