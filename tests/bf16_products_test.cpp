// Products in bfloat16 on the CPU: the pairs that they are made of, and what a person trains and
// samples with them. That the products are right is tests/kernels_test.cpp's and gemm_test.cpp's.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "data/demo_corpus.h"
#include "kernels/bf16.h"
#include "kernels/cpu/support/bf16_pair.h"
#include "kernels/cpu/support/gemm_options.h"
#include "kernels/philox.h"
#include "rl/language_model.h"
#include "rl/rollout.h"
#include "rl/trainer.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

using cpu::lanes;
using Floats = cpu::Vector<float>;
using Pairs = cpu::Vector<cpu::Bf16Pair>;
constexpr int width = lanes<float>;

constexpr cpu::GemmOptions in_bf16{cpu::Products::bf16};

cpu::Bf16Pair pair_of(float first, float second) {
  return bf16(first).bits | cpu::Bf16Pair(bf16(second).bits) << 16;
}

bool same(const auto& x, const auto& y) { return std::memcmp(&x, &y, sizeof(x)) == 0; }

/// Normal draws whose sizes spread over `octaves` powers of two.
Floats draw(uint64_t at, int octaves) {
  Floats x;
  for (int i = 0; i < width; i++) {
    const PhiloxWords w = random_words(3, RandomStream::init, uint32_t(octaves), uint64_t(i), at);
    x[i] = std::ldexp(float(unit_normal(w[0], w[1])), int(w[2] % uint32_t(octaves)) - octaves / 2);
  }
  return x;
}

TEST(Bf16Pairs, AreTheRoundingsOfOurOwnType) {
  for (uint64_t at = 0; at < 2000; at += 2) {
    Floats x = draw(at, 100);
    const Floats y = draw(at + 1, 100);
    x[0] = 1.00390625f;  // half way, to the even one below
    x[1] = 1.01171875f;  // to the even one above
    x[2] = INFINITY;
    x[3] = std::ldexp(1.9999999f, 127);  // up to infinity
    const Pairs across = cpu::pairs_across(x, y), along = cpu::pairs_along(x, y);
    for (int i = 0; i < width; i++) {
      EXPECT_EQ(across[i], pair_of(x[i], y[i]));
      const Floats& half = i < width / 2 ? x : y;
      const int first = 2 * i % width;
      EXPECT_EQ(along[i], pair_of(half[first], half[first + 1]));
    }
    ASSERT_TRUE(same(across, cpu::portable::pairs_across(x, y)));
    ASSERT_TRUE(same(along, cpu::portable::pairs_along(x, y)));
  }
}

TEST(Bf16Pairs, AreMultipliedAlikeByEveryTarget) {
  for (uint64_t at = 0; at < 100000; at += 5) {
    const Floats sum = draw(at, 24);
    Floats x = draw(at + 1, 8), y = draw(at + 2, 8), z = draw(at + 3, 8), w = draw(at + 4, 8);
    x[0] = INFINITY;
    w[1] = -z[1], y[1] = x[1];  // they cancel, and only the sum is left: or its roundings
    const Pairs a = cpu::pairs_across(x, y), b = cpu::pairs_across(z, w);
    ASSERT_TRUE(same(cpu::add_pairs(sum, a, b), cpu::portable::add_pairs(sum, a, b))) << at;
  }
}

TEST(Bf16Pairs, HandNaNsOn) {
  const Floats nan = Floats{} + NAN, one = Floats{} + 1;
  for (const Pairs& pairs : {cpu::pairs_across(nan, one), cpu::pairs_across(one, nan),
                             cpu::portable::pairs_across(nan, one)}) {
    EXPECT_TRUE(std::isnan(cpu::add_pairs(one, pairs, cpu::pairs_across(one, one))[0]));
    EXPECT_TRUE(std::isnan(cpu::portable::add_pairs(one, pairs, cpu::pairs_across(one, one))[0]));
  }
}

TEST(Bf16Products, GiveTrainingAndSamplingTheSameBits) {
  const Gpt2 policy = make_gpt2(tiny_config(12), 4);
  const std::vector<Tokens> prompts{{1, 2, 3}, {4}, {5, 6, 7, 8, 9}, {0, 1}, {3, 4, 5, 6}};
  const SamplingOptions sampling{.max_new_tokens = 9, .stop_tokens = {10}, .seed = 5};
  const auto whole = sample_episodes(policy, prompts, sampling, 5);
  const std::vector<float> in_float = response_log_probs(policy, pointers(whole), 1, 5);
  const cpu::WithGemmOptions scope(in_bf16);
  EXPECT_NE(response_log_probs(policy, pointers(whole), 1, 5), in_float) << "they are not in use";
  for (const int threads : {1, 2}) {
    const WithThreads count(threads);
    const auto episodes = sample_episodes(policy, prompts, sampling, threads);
    std::vector<float> sampled;
    for (const Episode& e : episodes) {
      sampled.insert(sampled.end(), e.log_prob.begin(), e.log_prob.end());
    }
    for (const int64_t size : {1, 2, 5}) {
      EXPECT_EQ(response_log_probs(policy, pointers(episodes), 1, size), sampled) << size;
    }
  }
}

/// The mean loss of the last 50 of 200 steps on the demo's reviews, byte by byte.
double trained_loss() {
  std::string text;
  for (const std::string& document : demo_documents(1, 200)) text += document + "\n";
  Gpt2Config shape{.vocab_size = 256, .n_positions = 32, .n_embd = 64, .n_layer = 2, .n_head = 2};
  shape.set_dropout(0);
  Gpt2 model = make_gpt2(shape, 1);
  TrainingConfig config;
  config.max_steps = 200;
  config.schedule = {.kind = ScheduleKind::constant, .peak = 1e-3, .warmup_steps = 20};
  Trainer trainer(model, config);
  double sum = 0;
  for (uint64_t step = 0; step < 200; step++) {
    std::vector<Example> examples;
    for (uint64_t e = 0; e < 8; e++) {
      const size_t at = random_words(2, RandomStream::shuffle, 0, e, step)[0] % (text.size() - 33);
      Example example{.tokens = {}, .learn = std::vector<char>(33, 1)};
      for (size_t t = 0; t < 33; t++) example.tokens.push_back(uint8_t(text[at + t]));
      examples.push_back(example);
    }
    const Trainer::Step done = trainer.step(1, [&](int64_t) {
      return language_model_loss(model, pad_examples(examples), 8 * 32, nullptr);
    });
    EXPECT_TRUE(std::isfinite(done.loss) && std::isfinite(done.grad_norm)) << step;
    if (step >= 150) sum += done.loss;
  }
  return sum / 50;
}

TEST(Bf16Products, TrainAsFloatsDo) {
  const double in_float = trained_loss();
  EXPECT_LT(in_float, 3.2) << "it has learned something: ln 256 is 5.5";
  const cpu::WithGemmOptions scope(in_bf16);
  const double loss = trained_loss();
  EXPECT_NEAR(loss / in_float, 1, 0.01);
  EXPECT_NE(loss, in_float) << "they are not in use";
}

}  // namespace
}  // namespace rlhf
