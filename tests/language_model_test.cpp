// The language-model loss in its rectangular forms, and pretraining on a stream that can be learnt
// by heart.
#include "rl/language_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/tape.h"
#include "rl/pretrain.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

std::vector<Example> examples_of_lengths(std::initializer_list<int> lengths) {
  std::vector<Example> examples;
  for (const int length : lengths) {
    Example example;
    for (int t = 0; t < length; t++) {
      example.tokens.push_back((5 * length + 3 * t + t * t) % 10);
      example.learn.push_back((length + t) % 4 != 0);
    }
    examples.push_back(example);
  }
  return examples;
}

/// -log p of one token after another, by asking the model for each prefix alone.
double nll_by_prefixes(const Gpt2& model, const Example& example) {
  double nll = 0;
  for (size_t t = 1; t < example.tokens.size(); t++) {
    if (!example.learn[t]) continue;
    const std::vector<Tokens> prefix{
        Tokens(example.tokens.begin(), example.tokens.begin() + std::ptrdiff_t(t))};
    const Tensor hidden = model(pad_right(prefix));
    const std::vector<float> logits =
        linear(hidden, model.head(), {}, /*transposed=*/true).to_vector<float>();
    const size_t V = size_t(model.config.vocab_size);
    const float* last = logits.data() + (t - 1) * V;
    double sum = 0;
    for (size_t v = 0; v < V; v++) sum += std::exp(double(last[v]));
    nll -= double(last[example.tokens[t]]) - std::log(sum);
  }
  return nll;
}

TEST(LanguageModelLoss, IsTheMeanOfWhatEachPrefixPredicts) {
  const Gpt2 model = make_gpt2(tiny_config(12), 3);
  const std::vector<Example> examples = examples_of_lengths({5, 9, 2});
  double nll = 0;
  int64_t targets = 0;
  for (const Example& example : examples) {
    nll += nll_by_prefixes(model, example);
    targets += example.targets();
  }
  const TargetBatch batch = pad_examples(examples);
  EXPECT_EQ(batch.targets, targets);
  EXPECT_NEAR(language_model_loss(model, batch, targets, nullptr).item(), nll / double(targets),
              1e-5);
  for (const int64_t size : {1, 2, 64}) {
    const Likelihood likelihood = evaluate_likelihood(model, examples, size);
    EXPECT_EQ(likelihood.targets, targets);
    EXPECT_NEAR(likelihood.nll, nll, 1e-4) << size;
  }
}

TEST(LanguageModelLoss, PackingEqualsPadding) {
  const std::vector<Example> examples = examples_of_lengths({9, 4, 6, 12, 3, 7});
  std::vector<std::vector<float>> gradients;
  std::vector<double> losses;
  for (const bool packing : {false, true}) {
    Gpt2 model = make_gpt2(tiny_config(12), 3);
    ParameterArena arena(model);
    const TargetBatch batch = packing ? pack_examples(examples, 16) : pad_examples(examples);
    if (packing) {
      EXPECT_EQ(batch.batch.B, 3) << "11+5, 8+6+2, 3 tokens";
    }
    Tape tape;
    const Tensor loss = language_model_loss(model, batch, batch.targets, nullptr);
    losses.push_back(loss.item());
    tape.backward(loss);
    gradients.push_back(arena.gradients().to_vector<float>());
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-6);
  for (size_t i = 0; i < gradients[0].size(); i++) {
    ASSERT_NEAR(gradients[0][i], gradients[1][i], 1e-6) << "parameter " << i;
  }
}

TEST(Windows, CoverEachTokenButTheFirstOnce) {
  const Tokens stream{3, 1, 4, 1, 5, 9, 2, 6};
  Tokens targets;
  for (const Example& window : windows(stream, 3)) {
    EXPECT_LE(window.tokens.size(), 4u);
    targets.insert(targets.end(), window.tokens.begin() + 1, window.tokens.end());
  }
  EXPECT_EQ(targets, Tokens(stream.begin() + 1, stream.end()));
  EXPECT_TRUE(windows(Tokens{1}, 3).empty());
}

PretrainConfig pretrain_config(int64_t max_steps) {
  PretrainConfig config;
  config.training.max_steps = max_steps;
  config.training.batch_size = 4;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = 1e-2};
  config.training.optimizer.weight_decay = 0;
  config.block_size = 12;
  config.eval_steps = 20;
  return config;
}

TEST(Pretrain, LearnsAStreamByHeart) {
  Tokens stream;
  for (int i = 0; i < 200; i++) stream.push_back(i * i % 7 + i % 3);  // period 21
  Gpt2 model = make_gpt2(tiny_config(12, 12), 1);
  std::vector<double> losses;
  const PretrainResult result = pretrain(model, stream, stream, pretrain_config(400),
                                         [&](int64_t, int64_t total, const Metrics& metrics) {
                                           EXPECT_EQ(total, 400);
                                           for (const auto& [name, value] : metrics) {
                                             if (name == "eval_loss") losses.push_back(value);
                                           }
                                         });
  EXPECT_EQ(losses.size(), 20u);
  EXPECT_GT(losses.front(), losses.back());
  EXPECT_EQ(result.val_loss, losses.back());
  EXPECT_LE(result.best_val_loss, result.val_loss);
  EXPECT_LT(result.val_loss, 0.25) << "only a window's first tokens are uncertain";
  EXPECT_EQ(result.tokens, 400 * 4 * 12);
}

TEST(Pretrain, IsEqualBitForBitForAnyNumberOfThreads) {
  Tokens stream;
  for (int i = 0; i < 300; i++) stream.push_back(i * i % 11);
  std::vector<std::vector<float>> runs;
  for (const int threads : {1, 2, 1}) {
    const WithThreads scope(threads);
    Gpt2Config config = tiny_config(12, 12);
    config.set_dropout(0.1f);
    Gpt2 model = make_gpt2(config, 1);
    pretrain(model, stream, {}, pretrain_config(10), [](int64_t, int64_t, const Metrics&) {});
    runs.push_back(parameters_of(model));
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_EQ(runs[0], runs[2]);
}

TEST(Pretrain, WithoutAValidationStreamReportsTheTrainingLossOnly) {
  Tokens stream;
  for (int i = 0; i < 60; i++) stream.push_back(i % 5);
  Gpt2 model = make_gpt2(tiny_config(12, 12), 1);
  const PretrainResult result = pretrain(model, stream, {}, pretrain_config(20),
                                         [](int64_t, int64_t, const Metrics& metrics) {
                                           for (const auto& [name, value] : metrics) {
                                             EXPECT_NE(name, "eval_loss");
                                           }
                                         });
  EXPECT_GT(result.train_loss, 0);
  EXPECT_EQ(result.best_val_loss, 0);
}

}  // namespace
}  // namespace rlhf
