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
  std::vector<std::pair<int64_t, Metrics>> kept;
  std::string text;
  const bool whole = fuzz::accepts([&] {
    parse_metrics(bytes, "metrics.jsonl", [&](const MetricsLine& line) {
      kept.emplace_back(line.step, line.metrics);
      text += line.text;
    });
  });
  fuzz::expect(bytes.starts_with(text) || !whole, "lines are parts of the text");
  if (!whole) return;
  const auto path = fuzz::file_with("metrics.jsonl", "");
  const auto* lines = &kept;
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
