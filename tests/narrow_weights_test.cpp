// Models with narrow weights: they generate and measure what the same model does with what its
// weights stand for in floats, on either device, in less memory.
#include "nn/narrow_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/allocator.h"
#include "nn/generate.h"
#include "rl/language_model.h"
#include "tests/gpu.h"
#include "tests/message_of.h"
#include "tests/model_helpers.h"
#include "tests/threads.h"

namespace rlhf {
namespace {

constexpr int64_t vocabulary = 70;

Gpt2 random_model(bool tied = true) {
  Gpt2 model = empty_gpt2(
      {.vocab_size = vocabulary, .n_positions = 40, .n_embd = 24, .n_layer = 2, .n_head = 3});
  model.config.set_dropout(0);
  if (!tied) model.untie();
  randomise(model, 11, 0.25);
  return model;
}

Tensor widened(const NarrowMatrix& narrow, bool turn) {
  const Tensor w = narrow.widened();
  if (!turn) return w;
  const int64_t K = narrow.inputs(), N = narrow.outputs();
  const Tensor out = Tensor::empty({N, K}, DType::f32);
  for (int64_t i = 0; i < K * N; i++) {
    out.data<float>()[i % N * K + i / N] = w.data<float>()[i];
  }
  return out;
}

/// A model of floats with the values that narrow weights stand for.
Gpt2 stood_for(const Gpt2& narrow) {
  Gpt2 model = narrow;
  for (Block& block : model.h) {
    for (Linear* l : {&block.attn.c_attn, &block.attn.c_proj, &block.mlp.c_fc, &block.mlp.c_proj}) {
      l->weight = widened(l->narrow, false);
      l->narrow = {};
    }
  }
  for (Embedding* e : {&model.wte, &model.lm_head}) {
    if (!e->narrow.defined()) continue;
    e->weight = widened(e->narrow, true);
    e->narrow = {};
  }
  return model;
}

std::vector<Generated> sample(const Gpt2& model, const std::vector<Tokens>& prompts) {
  return generate(model, prompts, {.max_new_tokens = 20, .temperature = 1, .seed = 4});
}

double nll(const Gpt2& model, int64_t batch_size = 4) {
  std::vector<Example> examples;
  for (const Tokens& tokens : random_sequences(9, 30, vocabulary, 5)) {
    examples.push_back({tokens, std::vector<char>(tokens.size(), 1)});
  }
  return evaluate_likelihood(model, examples, batch_size).nll;
}

void expect_close(const std::vector<Generated>& a, const std::vector<Generated>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); i++) {
    EXPECT_EQ(a[i].tokens, b[i].tokens);
    for (size_t t = 0; t < a[i].log_probs.size(); t++) {
      EXPECT_NEAR(a[i].log_probs[t], b[i].log_probs[t], 2e-4);
    }
  }
}

class NarrowWeights : public testing::TestWithParam<DType> {};

TEST_P(NarrowWeights, GenerateWhatTheyStandFor) {
  const std::vector<Tokens> prompts = random_sequences(7, 12, vocabulary, 3);
  for (const bool tied : {true, false}) {
    Gpt2 model = random_model(tied);
    const double exact = nll(model);
    narrow_weights(model, GetParam());
    const Gpt2 same = stood_for(model);
    expect_close(sample(model, prompts), sample(same, prompts));
    EXPECT_NEAR(nll(model), nll(same), 1e-3);
    EXPECT_NEAR(nll(model) / exact, 1, 0.02);
    EXPECT_NE(nll(model), exact);
  }
}

TEST_P(NarrowWeights, GiveSequencesTheSameBitsInAnyBatchOnAnyThreads) {
  Gpt2 model = random_model();
  narrow_weights(model, GetParam());
  const std::vector<Tokens> prompts = random_sequences(9, 12, vocabulary, 3);
  const std::vector<Generated> together = sample(model, prompts);
  for (const int threads : {1, 2}) {
    const WithThreads count(threads);
    for (size_t i = 0; i < prompts.size(); i++) {
      const SamplingOptions options{
          .max_new_tokens = 20, .temperature = 1, .seed = 4, .first_sequence = i};
      const Generated alone = generate(model, std::span(&prompts[i], 1), options)[0];
      EXPECT_EQ(alone.tokens, together[i].tokens);
      EXPECT_EQ(alone.log_probs, together[i].log_probs);
    }
  }
}

TEST_P(NarrowWeights, LetTheFloatsGo) {
  const auto held = [] { return double(Allocator::of(Device::cpu).statistics().live); };
  const double before = held();
  Gpt2 model =
      make_gpt2({.vocab_size = 640, .n_positions = 8, .n_embd = 128, .n_layer = 2, .n_head = 2}, 1);
  const double floats = held() - before;
  narrow_weights(model, GetParam());
  const double share = GetParam() == DType::i8 ? 0.28 : 0.53;  // biases and norms stay
  EXPECT_LT(held() - before, share * floats);
  EXPECT_EQ(Allocator::of(Device::cpu).statistics().cached, 0u) << "kept from the system";
  EXPECT_TRUE(message_of<Error>([&] {
                model.head();
              }).starts_with("[gpt2] expected a head that can be trained, got narrow weights"));
}

TEST_P(NarrowWeights, AreThoseOfTheModelWithItsAdaptersMerged) {
  Gpt2 adapted = random_model();
  add_adapters(adapted, {.r = 4, .alpha = 8, .dropout = 0}, 5);
  randomise(adapted, 6, 0.2);
  Gpt2 merged = shared_copy(adapted);
  merge_adapters(merged);
  narrow_weights(adapted, GetParam());
  narrow_weights(merged, GetParam());
  EXPECT_EQ(nll(adapted), nll(merged));
}

TEST_P(NarrowWeights, AgreeBetweenDevices) {
  RLHF_NEEDS_GPU();
  Gpt2 model = random_model(), there = random_model();
  move_parameters(there, {.device = Device::cuda});
  narrow_weights(model, GetParam());
  narrow_weights(there, GetParam());
  const std::vector<Tokens> prompts = random_sequences(3, 5, vocabulary, 3);
  const SamplingOptions few{.max_new_tokens = 4, .temperature = 1, .seed = 4};
  expect_close(generate(there, prompts, few), generate(model, prompts, few));
}

TEST(NarrowWeightsOf, ModelsInBfloat16AreRefused) {
  Gpt2 model =
      make_gpt2({.vocab_size = 9, .n_positions = 8, .n_embd = 8, .n_layer = 1, .n_head = 1}, 1);
  move_parameters(model, {.dtype = DType::bf16});
  EXPECT_EQ(message_of<Error>([&] { narrow_weights(model, DType::i8); }),
            "[narrow_weights] expected a model of f32, got one of bf16");
}

INSTANTIATE_TEST_SUITE_P(Of, NarrowWeights, testing::Values(DType::bf16, DType::i8),
                         [](const auto& of) { return std::string(name_of(of.param)); });

}  // namespace
}  // namespace rlhf
