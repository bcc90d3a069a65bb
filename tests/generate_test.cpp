// Generation: exact on a policy whose every token is the previous one plus one; bit-equal to
// training's log-probabilities; the same for any batch and any number of threads.
#include "nn/generate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/tape.h"
#include "nn/optimizer.h"
#include "rl/language_model.h"
#include "tests/model_helpers.h"
#include "tests/threads.h"

namespace rlhf {
namespace {

constexpr int64_t vocabulary = 16;

/// A Gpt2 whose most probable token is the previous one plus one, modulo the vocabulary: one-hot
/// embeddings, attention that adds nothing, and an MLP that writes the successor's direction.
Gpt2 counting_policy() {
  constexpr int64_t V = vocabulary, C = V;
  Gpt2 model =
      empty_gpt2({.vocab_size = V, .n_positions = 20, .n_embd = C, .n_layer = 1, .n_head = 2});
  for_each_parameter(model, [](const std::string& name, Tensor& tensor) {
    tensor.fill_zero();
    if (name.find("ln_") == std::string::npos || !name.ends_with("weight")) return;
    for (int64_t i = 0; i < tensor.count(); i++) tensor.data<float>()[i] = 1;
  });
  for (int64_t v = 0; v < V; v++) {
    model.wte.weight.data<float>()[v * C + v] = 1;
    model.h[0].mlp.c_fc.weight.data<float>()[v * 4 * C + v] = 1;
    model.h[0].mlp.c_proj.weight.data<float>()[v * C + (v + 1) % V] = 1;
  }
  return model;
}

Gpt2 random_policy(int64_t C = 24, int64_t V = 29, int64_t positions = 48) {
  Gpt2 model = empty_gpt2(
      {.vocab_size = V, .n_positions = positions, .n_embd = C, .n_layer = 2, .n_head = 3});
  randomise(model, 11, 0.25);
  return model;
}

bool equal_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(Generate, CountsOnFromPromptsOfMixedLengths) {
  const std::vector<Tokens> prompts{{3}, {7, 1, 9}, {5, 5}, {14}};
  const auto generated =
      generate(counting_policy(), prompts, {.max_new_tokens = 5, .temperature = 0});
  EXPECT_EQ(generated[0].tokens, (Tokens{4, 5, 6, 7, 8}));
  EXPECT_EQ(generated[1].tokens, (Tokens{10, 11, 12, 13, 14}));
  EXPECT_EQ(generated[2].tokens, (Tokens{6, 7, 8, 9, 10}));
  EXPECT_EQ(generated[3].tokens, (Tokens{15, 0, 1, 2, 3}));
  for (const Generated& g : generated) {
    EXPECT_FALSE(g.stopped);
    EXPECT_EQ(g.log_probs.size(), g.tokens.size());
  }
}

TEST(Generate, StopsAtTheFirstStopTokenAndCompacts) {
  const std::vector<Tokens> prompts{{3}, {7, 1, 9}, {10, 11}, {11}, {1}};
  const auto generated = generate(counting_policy(), prompts,
                                  {.max_new_tokens = 7, .temperature = 0, .stop_tokens = {12, 8}});
  EXPECT_EQ(generated[0].tokens, (Tokens{4, 5, 6, 7, 8}));
  EXPECT_EQ(generated[1].tokens, (Tokens{10, 11, 12}));
  EXPECT_EQ(generated[2].tokens, (Tokens{12}));
  EXPECT_EQ(generated[3].tokens, (Tokens{12}));
  EXPECT_EQ(generated[4].tokens, (Tokens{2, 3, 4, 5, 6, 7, 8}));
  for (const Generated& g : generated) EXPECT_TRUE(g.stopped);
}

TEST(Generate, CallsBackInOrderAsTokensAreChosen) {
  const std::vector<Tokens> prompts{{6}, {1, 2}, {7}};
  std::vector<std::pair<size_t, int32_t>> calls;
  generate(counting_policy(), prompts, {.max_new_tokens = 3, .temperature = 0, .stop_tokens = {8}},
           [&](size_t sequence, int32_t token) {
             calls.emplace_back(sequence, token);
             return true;
           });
  const std::vector<std::pair<size_t, int32_t>> expected{{0, 7}, {1, 3}, {2, 8},
                                                         {0, 8}, {1, 4}, {1, 5}};
  EXPECT_EQ(calls, expected);
}

TEST(Generate, FillsThePositionsAndNoMore) {
  const std::vector<Tokens> prompts{Tokens(17, 3)};
  const auto generated =
      generate(counting_policy(), prompts, {.max_new_tokens = 50, .temperature = 0});
  EXPECT_EQ(generated[0].tokens, (Tokens{4, 5, 6})) << "20 positions in all";
  EXPECT_FALSE(generated[0].stopped);
}

TEST(Generate, EachSequenceHasItsOwnRoom) {
  // The first and third are full long before the others let the batch be compacted.
  const std::vector<Tokens> prompts{Tokens(18, 3), {2}, Tokens(19, 5), {0, 0, 0}, {4, 4}, {9}};
  const auto generated =
      generate(counting_policy(), prompts, {.max_new_tokens = 18, .temperature = 0});
  for (size_t p = 0; p < prompts.size(); p++) {
    const auto alone =
        generate(counting_policy(), {&prompts[p], 1}, {.max_new_tokens = 18, .temperature = 0});
    EXPECT_EQ(generated[p].tokens, alone[0].tokens) << p;
    EXPECT_TRUE(equal_bits(generated[p].log_probs, alone[0].log_probs)) << p;
  }
  EXPECT_EQ(generated[0].tokens, (Tokens{4, 5}));
  EXPECT_EQ(generated[1].tokens.size(), 18u);
  EXPECT_EQ(generated[2].tokens, (Tokens{6}));
  EXPECT_EQ(generated[3].tokens.size(), 17u);
}

TEST(Generate, RefusesPromptsWithoutRoom) {
  const Gpt2 model = counting_policy();
  const std::vector<Tokens> empty{{1}, {}}, full{Tokens(20, 1)};
  EXPECT_THROW(generate(model, empty, {}), InputError);
  EXPECT_THROW(generate(model, full, {}), InputError);
  EXPECT_TRUE(generate(model, {}, {}).empty());
  const std::vector<Tokens> one{{1}};
  EXPECT_TRUE(generate(model, one, {.max_new_tokens = 0})[0].tokens.empty());
}

TEST(Generate, ASequenceIsTheSameInWhateverBatch) {
  const Gpt2 model = random_policy();
  const auto prompts = random_sequences(12, 14, model.config.vocab_size, 3);
  SamplingOptions options{.max_new_tokens = 24,
                          .temperature = 0.9f,
                          .stop_tokens = {1, 5, 8},
                          .seed = 6,
                          .first_sequence = 100};
  const auto together = generate(model, prompts, options);
  size_t stopped_early = 0;
  for (size_t p = 0; p < prompts.size(); p++) {
    options.first_sequence = 100 + p;
    const auto alone = generate(model, {&prompts[p], 1}, options);
    EXPECT_EQ(together[p].tokens, alone[0].tokens) << p;
    EXPECT_TRUE(equal_bits(together[p].log_probs, alone[0].log_probs)) << p;
    EXPECT_EQ(together[p].stopped, alone[0].stopped) << p;
    stopped_early += together[p].tokens.size() < 12;
  }
  EXPECT_GT(stopped_early, prompts.size() / 2) << "else the batch is never compacted";
  EXPECT_LT(stopped_early, prompts.size()) << "else nobody sees that it was";
  EXPECT_NE(together[0].tokens, generate(model, {&prompts[0], 1}, options)[0].tokens)
      << "the number of a sequence chooses its draws";
}

/// log pi of the last `count` tokens of each sequence, as training computes it.
std::vector<std::vector<float>> training_log_probs(const Gpt2& model,
                                                   std::span<const Tokens> sequences,
                                                   std::span<const size_t> count,
                                                   float temperature) {
  const TokenBatch batch = pad_right(sequences);
  Tokens target(size_t(batch.B * batch.T), -1);
  for (size_t s = 0; s < sequences.size(); s++) {
    for (size_t t = 0; t + 1 < sequences[s].size(); t++) {
      target[s * size_t(batch.T) + t] = sequences[s][t + 1];
    }
  }
  const auto all = token_log_prob(model(batch), model.head(),
                                  Tensor::from(target, {batch.B * batch.T}), temperature)
                       .log_prob.to_vector<float>();
  std::vector<std::vector<float>> result;
  for (size_t s = 0; s < sequences.size(); s++) {
    const auto end = all.begin() + int64_t(s) * batch.T + int64_t(sequences[s].size()) - 1;
    result.emplace_back(end - int64_t(count[s]), end);
  }
  return result;
}

// Sizes large enough for kernels to wake a second thread.
TEST(Generate, LogProbabilitiesAreTrainingsBitForBit) {
  const Gpt2 model = random_policy(48, 301, 40);
  const auto prompts = random_sequences(9, 12, model.config.vocab_size, 4);
  for (const float temperature : {1.0f, 0.7f}) {
    for (const int threads : {1, 2}) {
      const WithThreads set(threads);
      const auto generated = generate(
          model, prompts,
          {.max_new_tokens = 20, .temperature = temperature, .stop_tokens = {0, 7, 30, 111}});
      std::vector<Tokens> sequences = prompts;
      std::vector<size_t> count;
      for (size_t p = 0; p < prompts.size(); p++) {
        const Tokens& tokens = generated[p].tokens;
        sequences[p].insert(sequences[p].end(), tokens.begin(), tokens.end());
        count.push_back(tokens.size());
      }
      const WithThreads other(3 - threads);
      const auto expected = training_log_probs(model, sequences, count, temperature);
      for (size_t p = 0; p < prompts.size(); p++) {
        EXPECT_TRUE(equal_bits(generated[p].log_probs, expected[p]))
            << "prompt " << p << ", temperature " << temperature << ", threads " << threads;
      }
    }
  }
}

std::vector<float> parameters_after_training(int threads) {
  const WithThreads set(threads);
  Gpt2 model = random_policy(48, 301, 40);
  model.config.set_dropout(0.1f);
  const ParameterArena arena(model);
  Optimizer optimizer(arena, {.weight_decay = 0.1f, .max_grad_norm = 1});
  StepState state{.seed = 2, .learning_rate = 1e-3f};
  std::vector<Example> examples;
  for (Tokens tokens : random_sequences(8, 38, 301, 9)) {
    tokens.push_back(3);
    examples.push_back({tokens, std::vector<char>(tokens.size(), 1)});
  }
  std::vector<float> trace;
  for (int step = 0; step < 3; step++) {
    for (const TargetBatch& batch : {pad_examples(examples), pack_examples(examples, 40)}) {
      state.draw++;
      Tape tape;
      const Tensor loss = language_model_loss(model, batch, 2 * batch.targets, &state);
      trace.push_back(float(loss.item()));
      tape.backward(loss);
    }
    trace.push_back(float(optimizer.step(state)));
  }
  const auto values = arena.values().to_vector<float>();
  trace.insert(trace.end(), values.begin(), values.end());
  return trace;
}

TEST(Training, AWholeStepHasTheSameBitsForAnyNumberOfThreads) {
  const auto one = parameters_after_training(1);
  EXPECT_TRUE(equal_bits(one, parameters_after_training(2)));
  EXPECT_TRUE(equal_bits(one, parameters_after_training(3)));
  for (const float value : one) ASSERT_TRUE(std::isfinite(value));
}

}  // namespace
}  // namespace rlhf
