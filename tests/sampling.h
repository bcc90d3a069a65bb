// Sampling under test, on every device that there is: fixture of sample_test and
// sample_extremes_test.
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "kernels/device_report.h"
#include "kernels/sample.h"
#include "tests/buffers.h"

namespace rlhf {

struct Settings {
  float temperature = 1;
  int64_t top_k = 0;
  float top_p = 1, min_p = 0, repetition_penalty = 1;
  std::vector<int32_t> history = {};
  int64_t candidates = 0;
};

inline std::vector<float> random_logits(int64_t count, uint32_t site) {
  std::vector<float> logits;
  for (int64_t i = 0; i < count; i++) {
    const PhiloxWords w = random_words(9, RandomStream::init, site, 0, uint64_t(i));
    logits.push_back(float(2 * unit_normal(w[0], w[1])));
  }
  return logits;
}

/// Tests run on every device that there is.
class Sampling : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override {
    const std::string problem = device_problem(GetParam());
    if (!problem.empty()) GTEST_SKIP() << problem;
  }

  bool on_gpu() const { return GetParam() == Device::cuda; }

  /// One token for each row of logits (N, V); row n draws the random number first_draw + n.
  template <class T>
  std::vector<int32_t> sample(const std::vector<T>& logits, int64_t V, const Settings& s,
                              uint64_t first_draw = 0,
                              std::vector<Accumulator<T>>* log_prob = nullptr) const {
    const size_t N = logits.size() / size_t(V);
    std::vector<int32_t> history;
    for (size_t n = 0; n < N; n++) {
      history.insert(history.end(), s.history.begin(), s.history.end());
    }
    std::vector<uint64_t> draw(N);
    std::iota(draw.begin(), draw.end(), first_draw);
    Buffers b(GetParam());
    Sample<T> c{};
    c.token = b.hold(std::vector<int32_t>(N, -1));
    c.log_prob = b.hold(std::vector<Accumulator<T>>(N));
    c.logits = b.hold(logits);
    c.N = int64_t(N);
    c.V = V;
    c.temperature = s.temperature;
    c.top_k = s.top_k;
    c.top_p = s.top_p;
    c.min_p = s.min_p;
    c.repetition_penalty = s.repetition_penalty;
    c.candidates = s.candidates;
    c.history = s.history.empty() ? nullptr : b.hold(history);
    c.history_length = b.hold(std::vector<int32_t>(N, int32_t(s.history.size())));
    c.history_stride = int64_t(s.history.size());
    c.draw = b.hold(draw);
    c.seed = 3;
    run(GetParam(), c);
    on_device(GetParam(), [](auto tag) { synchronize(tag, {}); });
    if (log_prob) log_prob->assign(c.log_prob, c.log_prob + N);
    return {c.token, c.token + N};
  }

  /// As exactly as the device can: in double where it has that.
  std::vector<int32_t> sample_exactly(const std::vector<float>& logits, int64_t V,
                                      const Settings& s, uint64_t first_draw = 0) const {
    if (on_gpu()) return sample(logits, V, s, first_draw);
    return sample(std::vector<double>(logits.begin(), logits.end()), V, s, first_draw);
  }
};

/// Puts a device's name behind those of its tests.
inline std::string name_of_device(const testing::TestParamInfo<Device>& info) {
  return info.param == Device::cpu ? "cpu" : "cuda";
}

}  // namespace rlhf
