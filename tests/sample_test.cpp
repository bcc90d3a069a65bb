// Sampling: which tokens the filters keep and with what probability (against Hugging Face's
// processors), each single draw (against a sampler written plainly in double), and the promises
// about log-probabilities, ties and rows; on the CPU and on the GPU.
#include <algorithm>
#include <cmath>

#include "kernels/log_prob.h"
#include "tests/files.h"
#include "tests/sampling.h"

namespace rlhf {
namespace {

/// The contract's comment, word by word, with a full sort.
int32_t textbook(const std::vector<double>& logits, const Settings& s, uint64_t draw) {
  std::vector<double> z = logits;
  for (const int32_t token : s.history) {
    const double x = logits[size_t(token)], penalty = double(s.repetition_penalty);
    z[size_t(token)] = x > 0 ? x / penalty : x * penalty;
  }
  for (double& x : z) x /= double(s.temperature);
  std::vector<size_t> order(z.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return z[a] > z[b]; });
  if (s.top_k > 0) order.resize(std::min(order.size(), size_t(s.top_k)));
  double total = 0, mass = 0;
  for (const size_t v : order) total += std::exp(z[v]);
  size_t kept = 0;
  while (kept < order.size() && mass < double(s.top_p)) mass += std::exp(z[order[kept++]]) / total;
  order.resize(kept);
  std::erase_if(
      order, [&, top = z[order[0]]](size_t v) { return std::exp(z[v] - top) < double(s.min_p); });
  std::sort(order.begin(), order.end());
  total = 0;
  for (const size_t v : order) total += std::exp(z[v]);
  const PhiloxWords words = random_words(3, RandomStream::sampling, 0, 0, draw);
  double rest = unit_double(words[0], words[1]) * total;
  for (const size_t v : order) {
    rest -= std::exp(z[v]);
    if (rest < 0) return int32_t(v);
  }
  return int32_t(order.back());
}

class SamplingDraws : public Sampling {
 protected:
  /// The textbook's token for each row.
  void expect_textbook(const std::vector<float>& logits, int64_t V, const Settings& s,
                       uint64_t first_draw) const {
    const std::vector<int32_t> got = sample_exactly(logits, V, s, first_draw);
    for (size_t n = 0; n < got.size(); n++) {
      const auto row = logits.begin() + int64_t(n) * V;
      ASSERT_EQ(got[n], textbook({row, row + V}, s, first_draw + n)) << "row " << n;
    }
  }
};

TEST_P(SamplingDraws, EveryDrawIsTheTextbooks) {
  constexpr int64_t V = 60, N = 2000;
  const std::vector<Settings> all = {{},
                                     {.temperature = 0.5f},
                                     {.top_k = 1},
                                     {.top_k = 7},
                                     {.top_p = 0.6f},
                                     {.min_p = 0.2f},
                                     {.repetition_penalty = 2, .history = {0, 1, 1, 59}},
                                     {.temperature = 2,
                                      .top_k = 20,
                                      .top_p = 0.8f,
                                      .min_p = 0.25f,
                                      .repetition_penalty = 1.25f,
                                      .history = {5, 6}}};
  const std::vector<float> logits = random_logits(V * N, 1);
  for (size_t i = 0; i < all.size(); i++) {
    SCOPED_TRACE(i);
    expect_textbook(logits, V, all[i], 40);
  }
}

/// Logits of few values, as bf16 has them: at the edge of a filter stand many equals, and the first
/// of them stay. Rows longer than what one block looks at, and tokens that may not be chosen.
TEST_P(SamplingDraws, EqualsStayInTheirOrder) {
  constexpr int64_t V = 9001, N = 12;
  std::vector<float> logits = random_logits(V * N, 9);
  for (float& x : logits) x = std::round(x * 2) / 2;
  for (const Settings& s :
       {Settings{}, Settings{.top_k = 77}, Settings{.top_k = 4000}, Settings{.top_p = 0.4f},
        Settings{.top_p = 0.97f}, Settings{.temperature = 0.6f, .top_k = 900, .top_p = 0.9f},
        Settings{
            .top_k = 3000, .min_p = 0.05f, .repetition_penalty = 1.5f, .history = {1, 8999}}}) {
    expect_textbook(logits, V, s, 7);
  }
  const Settings few{.candidates = 5000};
  for (int64_t n = 0; n < N; n++) {
    std::fill_n(logits.begin() + n * V + 5000, V - 5000, 9.0f);  // the most probable of all
  }
  for (const int32_t token : sample(logits, V, few)) EXPECT_LT(token, 5000);
  for (const int32_t token : sample(logits, V, {.temperature = 0, .candidates = 5000})) {
    EXPECT_LT(token, 5000);
  }
}

/// Pearson's statistic of thousands of draws from each of Hugging Face's distributions. Its mean is
/// the number of kept tokens less one; five standard deviations above would be a wrong
/// distribution.
TEST_P(SamplingDraws, FrequenciesFollowHuggingFace) {
  const auto cases = test_data("sampling_oracle");
  ASSERT_GE(cases.size(), 10u);
  const int64_t N = on_gpu() ? 2000 : 40000;  // it may be an emulated one
  for (const auto& c : cases) {
    const auto& given = c["settings"];
    const Settings s{.temperature = given.value("temperature", 1.0f),
                     .top_k = given.value("top_k", int64_t{0}),
                     .top_p = given.value("top_p", 1.0f),
                     .min_p = given.value("min_p", 0.0f),
                     .repetition_penalty = given.value("repetition_penalty", 1.0f),
                     .history = given.value("history", std::vector<int32_t>{})};
    const auto row = c["logits"].get<std::vector<float>>();
    const auto probability = c["probabilities"].get<std::vector<double>>();
    std::vector<float> logits;
    for (int64_t n = 0; n < N; n++) logits.insert(logits.end(), row.begin(), row.end());
    std::vector<double> count(row.size(), 0.0);
    for (const int32_t token : sample(logits, int64_t(row.size()), s)) count[size_t(token)]++;
    double statistic = 0, kept = 0;
    for (size_t v = 0; v < row.size(); v++) {
      const double expected = double(N) * probability[v];
      if (probability[v] == 0) {
        EXPECT_EQ(count[v], 0) << given << " drew the removed token " << v;
        continue;
      }
      kept++;
      statistic += (count[v] - expected) * (count[v] - expected) / expected;
    }
    EXPECT_LT(statistic, kept - 1 + 5 * std::sqrt(2 * kept)) << given;
  }
}

TEST_P(SamplingDraws, GreedyTakesTheFirstOfEquals) {
  const std::vector<float> logits = {1, 4, 4, 0, -1, -2, -1, -1};
  EXPECT_EQ(sample(logits, 4, {.temperature = 0}), (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(sample(logits, 4, {.temperature = 0, .repetition_penalty = 2, .history = {1}}),
            (std::vector<int32_t>{2, 0}));
}

TEST_P(SamplingDraws, LogProbIsThatOfLogProbForward) {
  for (const int64_t V : {1, 50, 513, 50257}) {
    const int64_t N = on_gpu() ? 2 : 6;
    for (const float temperature : {0.0f, 1.0f, 0.7f, 1.9f}) {
      const std::vector<float> logits = random_logits(N * V, 2);
      std::vector<float> sampled;
      const std::vector<int32_t> token =
          sample(logits, V, {.temperature = temperature, .top_k = 10}, 0, &sampled);
      Buffers b(GetParam());
      const LogProbForward<float> c{.log_prob = b.output<float>(N),
                                    .entropy = nullptr,
                                    .lse = b.output<float>(N),
                                    .logits = b.hold(logits),
                                    .target = b.hold(token),
                                    .N = N,
                                    .V = V,
                                    .inverse_temperature = temperature == 0 ? 1 : 1 / temperature};
      run(GetParam(), c);
      on_device(GetParam(), [](auto tag) { synchronize(tag, {}); });
      for (int64_t n = 0; n < N; n++) {
        // The same bits on the CPU.
        EXPECT_NEAR(sampled[size_t(n)], c.log_prob[n], on_gpu() ? 1e-5 : 0)
            << V << " tokens at temperature " << temperature;
      }
    }
  }
}

TEST_P(SamplingDraws, RowsAreIndependent) {
  constexpr int64_t V = 300, N = 32;
  const std::vector<float> logits = random_logits(V * N, 4);
  const Settings s{.top_p = 0.95f};
  std::vector<float> together, alone;
  const std::vector<int32_t> tokens = sample(logits, V, s, 100, &together);
  for (int64_t n = 0; n < N; n++) {
    const std::vector<float> row(logits.begin() + n * V, logits.begin() + (n + 1) * V);
    EXPECT_EQ(sample(row, V, s, uint64_t(100 + n), &alone)[0], tokens[size_t(n)]);
    EXPECT_EQ(alone[0], together[size_t(n)]);
  }
}

INSTANTIATE_TEST_SUITE_P(All, SamplingDraws, testing::Values(Device::cpu, Device::cuda),
                         name_of_device);

}  // namespace
}  // namespace rlhf
