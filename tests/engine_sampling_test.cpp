// What a request may change about its distribution, and what it may learn of it: penalties, biases,
// alternatives, and the log-probabilities of its prompt.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "tests/engine_helpers.h"

namespace rlhf::engine {
namespace {

/// Logits behind a sequence.
std::vector<float> logits_behind(const Gpt2& model, const Tokens& tokens) {
  const Tensor hidden = model(pad_right({&tokens, 1}));
  const std::vector<float> all = model.logits(hidden).to_vector<float>();
  return {all.end() - byte_vocabulary, all.end()};
}

/// log softmax(logits / temperature) in double.
std::vector<double> log_softmax(const std::vector<float>& logits, double temperature) {
  double sum = 0;
  for (const float z : logits) sum += std::exp(double(z) / temperature);
  std::vector<double> result;
  for (const float z : logits) result.push_back(double(z) / temperature - std::log(sum));
  return result;
}

size_t largest(const std::vector<float>& logits) {
  return size_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

Job short_job(int64_t tokens = 12) {
  Job job;
  job.prompt = {5, 9, 1, 1, 30};
  job.sampling.max_new_tokens = tokens;
  job.sampling.temperature = 0;
  return job;
}

TEST(EngineSampling, PenaltiesAndBiasesAreThoseOfTheFormula) {
  const Model model = random_model();
  Engine engine(model, {.slots = 2});
  Job job = short_job();
  job.presence_penalty = 0.4f;
  job.frequency_penalty = 0.9f;
  job.logit_bias = {{3, 2.5f}, {200, -1.5f}};
  Tokens sequence = job.prompt, expected;
  std::vector<double> log_probs;
  std::map<int32_t, int> counts;
  for (int64_t t = 0; t < job.sampling.max_new_tokens; t++) {
    std::vector<float> logits = logits_behind(model->model.transformer, sequence);
    logits[3] += 2.5f;
    logits[200] -= 1.5f;
    for (const auto& [token, count] : counts) {
      logits[size_t(token)] -= 0.4f + 0.9f * float(count);
    }
    expected.push_back(int32_t(largest(logits)));
    log_probs.push_back(log_softmax(logits, 1)[largest(logits)]);
    sequence.push_back(expected.back());
    counts[expected.back()]++;
  }
  const Completion got = complete(engine, job);
  ASSERT_EQ(got.tokens, expected);
  for (size_t t = 0; t < expected.size(); t++) EXPECT_NEAR(got.log_probs[t], log_probs[t], 1e-4);
  EXPECT_NE(got.tokens, complete(engine, short_job()).tokens) << "the penalties did nothing";
}

TEST(EngineSampling, ABiasForcesAndForbidsTokensBesideOthers) {
  const Model model = random_model();
  Engine engine(model, {.slots = 3});
  Job forced = short_job(), plain = short_job();
  forced.logit_bias = {{65, 1000}};
  forced.sampling.temperature = 1;
  const Tokens alone = complete(engine, plain).tokens;
  Job forbidden = plain;
  forbidden.logit_bias = {{alone[0], -1000}};
  const auto a = std::make_shared<Recording>(), b = std::make_shared<Recording>(),
             c = std::make_shared<Recording>();
  engine.submit(forced, a);
  engine.submit(forbidden, b);
  engine.submit(plain, c);
  a->wait(), b->wait(), c->wait();
  for (const TokenOut& token : a->tokens) EXPECT_EQ(token.token, 65);
  for (const TokenOut& token : b->tokens) EXPECT_NE(token.token, alone[0]);
  for (size_t t = 0; t < alone.size(); t++) EXPECT_EQ(c->tokens[t].token, alone[t]);
}

TEST(EngineSampling, AlternativesAreTheMostProbableTokens) {
  const Model model = random_model();
  Engine engine(model, {.slots = 2});
  Job job = short_job();
  job.sampling.temperature = 0.8f;
  job.top_log_probs = 5;
  const auto listener = std::make_shared<Recording>();
  engine.submit(job, listener);
  listener->wait();
  Tokens sequence = job.prompt;
  for (const TokenOut& out : listener->tokens) {
    const auto want = log_softmax(logits_behind(model->model.transformer, sequence), 0.8);
    std::vector<int32_t> order(want.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int32_t a, int32_t b) { return want[size_t(a)] > want[size_t(b)]; });
    ASSERT_EQ(out.top.size(), 5u);
    for (size_t i = 0; i < 5; i++) {
      EXPECT_EQ(out.top[i].first, order[i]);
      EXPECT_NEAR(out.top[i].second, want[size_t(order[i])], 1e-4);
      if (out.top[i].first == out.token) {
        EXPECT_EQ(out.top[i].second, out.log_prob);
      }
    }
    EXPECT_NEAR(out.log_prob, want[size_t(out.token)], 1e-4);
    sequence.push_back(out.token);
  }
  // Asking changes nothing.
  job.top_log_probs = -1;
  const Completion plain = complete(engine, job);
  for (size_t t = 0; t < plain.tokens.size(); t++) {
    EXPECT_EQ(plain.tokens[t], listener->tokens[t].token);
    EXPECT_EQ(plain.log_probs[t], listener->tokens[t].log_prob);
  }
}

TEST(EngineSampling, AlternativesHaveRoomForTheWholeVocabularyAndForNone) {
  const Model model = random_model();
  Engine engine(model, {.slots = 1});
  Job job = short_job(1);
  for (const int count : {0, 128}) {
    job.top_log_probs = count;
    const auto listener = std::make_shared<Recording>();
    engine.submit(job, listener);
    listener->wait();
    EXPECT_EQ(listener->tokens[0].top.size(), size_t(count));
  }
}

/// The prompt's log-probabilities by a training pass.
std::vector<float> log_probs_of(const Gpt2& model, const Tokens& prompt) {
  const Tokens targets(prompt.begin() + 1, prompt.end());
  const Tokens inputs(prompt.begin(), prompt.end() - 1);
  const Tensor hidden = model(pad_right({&inputs, 1}));
  return model.log_prob(hidden, Tensor::from(targets, {int64_t(targets.size())}))
      .to_vector<float>();
}

TEST(EnginePrompt, ItsLogProbabilitiesAreTheModels) {
  const Model model = random_model();
  for (const int64_t chunk : {1, 7, 128}) {
    Engine engine(model, {.slots = 2, .prefill_chunk = chunk});
    Job job = short_job(1);
    job.prompt = model->tokenizer->encode("na\u00efve \u597d text that is long enough");
    job.prompt_log_probs = true;
    job.top_log_probs = 2;
    for (int time = 0; time < 2; time++) {  // the second finds its prompt in the cache
      const Completion got = complete(engine, job);
      const auto want = log_probs_of(model->model.transformer, job.prompt);
      ASSERT_EQ(got.prompt.size(), job.prompt.size());
      EXPECT_TRUE(std::isnan(got.prompt[0].log_prob));
      EXPECT_TRUE(got.prompt[0].top.empty());
      std::string text = got.prompt[0].text;
      for (size_t t = 1; t < job.prompt.size(); t++) {
        EXPECT_EQ(got.prompt[t].log_prob, want[t - 1]) << t;
        EXPECT_EQ(got.prompt[t].token, job.prompt[t]);
        ASSERT_EQ(got.prompt[t].top.size(), 2u);
        EXPECT_GE(got.prompt[t].top[0].second, got.prompt[t].top[1].second);
        EXPECT_GE(got.prompt[t].top[0].second, got.prompt[t].log_prob);
        text += got.prompt[t].text;
      }
      EXPECT_EQ(text, "na\u00efve \u597d text that is long enough");
      EXPECT_EQ(got.tokens.size(), 1u);
      EXPECT_EQ(got.finish.usage.cached_tokens, 0);
    }
  }
}

TEST(EnginePrompt, MayBeMeasuredWithoutAnAnswer) {
  const Model model = random_model(16);
  Engine engine(model, {.slots = 1});
  Job job = short_job(0);
  job.prompt = Tokens(16, 3);
  job.prompt_log_probs = true;
  const Completion got = complete(engine, job);
  EXPECT_TRUE(got.tokens.empty());
  EXPECT_EQ(got.prompt.size(), 16u);
  EXPECT_EQ(got.finish.reason, FinishReason::length);
  job.prompt = {3};
  EXPECT_EQ(complete(engine, job).prompt.size(), 1u);
  job.prompt_log_probs = false;
  EXPECT_EQ(complete(engine, job).finish.usage.completion_tokens, 0);
}

}  // namespace
}  // namespace rlhf::engine
