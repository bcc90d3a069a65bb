// samples.jsonl: what can be read is written again as it was.
#include <cmath>

#include "rl/run/samples_log.h"
#include "tests/fuzz/fuzz.h"

namespace {

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same(const rlhf::Sample& a, const rlhf::Sample& b) {
  return a.prompt == b.prompt && a.response == b.response && same(a.score, b.score) &&
         same(a.kl, b.kl) && a.length == b.length;
}

bool same(const rlhf::StepSamples& a, const rlhf::StepSamples& b) {
  return a.step == b.step &&
         std::equal(a.scores.begin(), a.scores.end(), b.scores.begin(), b.scores.end(),
                    [](double x, double y) { return same(x, y); }) &&
         std::equal(a.samples.begin(), a.samples.end(), b.samples.begin(), b.samples.end(),
                    [](const auto& x, const auto& y) { return same(x, y); });
}

}  // namespace

FUZZ_TARGET(samples) {
  using namespace rlhf;
  std::vector<StepSamples> kept;
  std::string text;
  const bool whole = fuzz::accepts([&] {
    parse_samples(bytes, "samples.jsonl", [&](SamplesLine line) {
      text += line.text;
      kept.push_back(std::move(line.samples));
    });
  });
  fuzz::expect(bytes.starts_with(text) || !whole, "lines are parts of the text");
  if (!whole) return;
  const auto path = fuzz::file_with("samples.jsonl", "");
  {
    SamplesLog log(path);
    for (const StepSamples& step : kept) log.write(step);
  }
  const std::vector<StepSamples> again = read_samples(path);
  fuzz::expect(again.size() == kept.size(), "as many lines come back as were written");
  for (size_t i = 0; i < again.size(); i++) {
    fuzz::expect(same(again[i], kept[i]), "samples survive being written");
  }
}
