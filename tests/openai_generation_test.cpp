// A request's choices on their way through the engine: nothing is computed for a request that
// cannot be answered, one that was taken gets one answer or one error whatever happens on the way,
// and a model that goes finishes what it has begun.
#include <gtest/gtest.h>

#include <functional>
#include <future>

#include "serve/openai/completion_response.h"
#include "serve/openai/generation.h"
#include "tests/engine_helpers.h"
#include "tests/openai_service.h"

namespace rlhf {
namespace {

using engine::Draining, engine::FinishReason, engine::Gate, engine::greedy, engine::Recording;
using nlohmann::json;
using std::chrono::milliseconds;

/// A model whose tokenizer has one id more than its embedding: the pad token, as GPT-2's.
std::shared_ptr<const LoadedLanguageModel> model_without_pad_embedding() {
  auto tokenizer = std::make_unique<BpeTokenizer>(BpeTokenizer::from_merges({}));
  Gpt2Config config = tiny_config(tokenizer->vocab_size() - 1);
  const int32_t eos = tokenizer->eos();
  return std::make_shared<LoadedLanguageModel>(
      LoadedLanguageModel{{make_gpt2(config, 8)}, std::move(tokenizer), {eos}});
}

TEST(OpenAiGeneration, ARequestOfWhichOnePromptCannotBeReadIsRefusedAsAWhole) {
  const OpenAiService service(model_without_pad_embedding());
  const int32_t beyond = service.model->tokenizer->pad();
  ASSERT_EQ(beyond, service.model->model.transformer.config.vocab_size);
  for (const size_t good : {1u, 8u, 20u}) {
    json prompts = json::array();
    for (size_t i = 0; i < good; i++) prompts.push_back({5});
    prompts.push_back({beyond});
    for (const bool stream : {true, false}) {
      const json error =
          service.refused(false, {{"prompt", prompts}, {"max_tokens", 4}, {"stream", stream}});
      EXPECT_EQ(error["param"], "prompt");
      EXPECT_EQ(error["message"], "[prompt] expected token ids from 0 to 256, got 257");
    }
  }
  const json error =
      service.refused(false, {{"prompt", "a"}, {"logit_bias", {{std::to_string(beyond), 1}}}});
  EXPECT_EQ(error["param"], "logit_bias");
  EXPECT_EQ(service.complete({{"prompt", "a"}, {"max_tokens", 1}})["choices"].size(), 1u);
  EXPECT_EQ(service.stats().generated_tokens, 1u) << "of the one request that was answered";
}

/// A client that keeps its answer.
struct Heard : http::ReplyTarget {
  void respond(http::Response response) override { answer = std::move(response); }
  std::shared_ptr<http::EventStream> stream(http::Headers) override {
    throw std::runtime_error("no memory");
  }
  bool answered() const override { return answer.has_value(); }
  bool gone() const override { return false; }
  void on_gone(std::function<void()>) override {}
  std::optional<http::Response> answer;
};

TEST(OpenAiGeneration, AStreamThatCannotBeginIsAnsweredWithAnError) {
  const auto model = tiny_byte_model();
  const auto heard = std::make_shared<Heard>();
  const auto writer =
      openai::stream_answer(http::Reply(heard), openai::new_head("cmpl-", "tiny", 3),
                            std::make_unique<openai::CompletionFormat>(model, false), 1, false);
  EXPECT_THROW(writer->begin([] {}), std::runtime_error);
  writer->fail(http::HttpError(500, "the answer could not be given"));
  ASSERT_TRUE(heard->answer);
  EXPECT_EQ(heard->answer->status, 500);
}

/// A job of a listener's own that holds the engine's thread up at its first token.
std::shared_ptr<Gate> held_up(engine::Engine& engine) {
  const auto gate = std::make_shared<Gate>(1);
  engine.submit(greedy(engine.model(), "x", 8), gate);
  gate->wait_until_reached();
  return gate;
}

TEST(OpenAiGeneration, AModelThatGoesFinishesTheChoicesThatItHasNotBegunYet) {
  for (const bool stream : {false, true}) {
    const OpenAiService service(tiny_byte_model(), {.slots = 1, .threads = 1}, {.at_once = 1});
    engine::Engine& engine = *service.served.engine;
    const auto gate = held_up(engine);
    const json body = {{"prompt", "ab"}, {"n", 3}, {"max_tokens", 2}, {"stream", stream}};
    http_test::Socket client(service.client.port);
    client.send(service.client.text("POST", "/v1/completions", body.dump()));
    ASSERT_TRUE(soon([&] { return engine.stats().waiting == 1; }));
    const auto drained =
        std::async(std::launch::async, [&] { engine.drain(milliseconds(60'000)); });
    ASSERT_TRUE(soon([&] { return engine.stats().draining; }));
    EXPECT_EQ(service.refused(false, {{"prompt", "a"}}, 503)["code"], "unavailable");
    gate->open();
    const http_test::Answer answer = http_test::Reader(client).answer();
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.body.find("error"), std::string::npos) << answer.body;
    drained.wait();
    EXPECT_EQ(engine.stats().finished[size_t(FinishReason::cancelled)], 1u) << "the gate's";
  }
}

/// What a request is told, and what is done to it at each step.
struct Told {
  int begun = 0, ended = 0;
  std::vector<int> failed;  ///< the statuses
  bool finished = false;
  std::function<void()> at_begin = [] {}, at_add = [] {}, at_end = [] {};
  std::promise<void> answered;
};

class Writer : public openai::AnswerWriter {
 public:
  explicit Writer(Told& told) : told_(told) {}
  void begin(std::function<void()>) override {
    told_.begun++;
    told_.at_begin();
  }
  void add(size_t, openai::Piece) override { told_.at_add(); }
  void end(size_t, FinishReason) override {
    told_.ended++;
    told_.at_end();
  }
  void finish(const engine::Usage&) override {
    told_.finished = true;
    told_.answered.set_value();
  }
  void fail(const http::HttpError& error) override {
    told_.failed.push_back(error.status);
    told_.answered.set_value();
  }

 private:
  Told& told_;
};

/// A request for `count` choices of two tokens each.
void start(const std::shared_ptr<engine::Engine>& engine, Told& told, size_t count,
           size_t at_once = 8) {
  std::vector<openai::PlannedChoice> choices;
  for (size_t i = 0; i < count; i++) {
    const engine::Job job = greedy(engine->model(), "ab", 2);
    choices.push_back(
        {job, openai::Choice(*engine->model().tokenizer, job.prompt, false, false), i == 0});
  }
  openai::Generation::start(engine, std::move(choices), std::make_unique<Writer>(told), at_once,
                            milliseconds(60'000));
}

std::shared_ptr<engine::Engine> engine_of(engine::Options options) {
  return std::make_shared<engine::Engine>(tiny_byte_model(), options);
}

/// Waits until all is said and the engine has let go of it.
void wait_for_the_end(Told& told, engine::Engine& engine) {
  ASSERT_EQ(told.answered.get_future().wait_for(std::chrono::seconds(30)),
            std::future_status::ready);
  engine.drain(milliseconds(60'000));
}

void expect_one_failure(const Told& told, int status) {
  EXPECT_EQ(told.begun, 1);
  EXPECT_EQ(told.failed, std::vector{status});
  EXPECT_FALSE(told.finished);
}

TEST(OpenAiGeneration, AModelThatIsStoppedBetweenTwoChoicesFailsTheAnswerOnce) {
  const auto engine = engine_of({.slots = 2, .queue = 100'000, .threads = 1});
  const auto gate = held_up(*engine);
  Told told;
  std::future<void> drained;
  told.at_begin = [&] {
    drained = std::async(std::launch::async, [&] { engine->drain(milliseconds(1)); });
    engine::Job job = greedy(engine->model(), "ab", 2);
    job.goes_on = true;
    EXPECT_TRUE(soon([&] {
      try {
        engine->submit(job, std::make_shared<Recording>());
      } catch (const Draining&) {
        return true;
      }
      return false;
    }));
  };
  start(engine, told, 3);
  gate->open();
  wait_for_the_end(told, *engine);
  expect_one_failure(told, 503);
  EXPECT_EQ(told.ended, 0);
}

TEST(OpenAiGeneration, AnAnswerThatCannotBeWrittenEndsItsRequest) {
  const auto throws = [] { throw std::runtime_error("no memory"); };
  for (const auto step : {&Told::at_begin, &Told::at_add, &Told::at_end}) {
    const auto engine = engine_of({.slots = 1, .threads = 1});
    Told told;
    told.*step = throws;
    start(engine, told, 3);
    wait_for_the_end(told, *engine);
    expect_one_failure(told, 500);
    EXPECT_LE(told.ended, 1);
    EXPECT_LE(engine->stats().generated_tokens, 4u) << "the others are cancelled";
  }
}

TEST(OpenAiGeneration, AChoiceThatFindsNoPlaceWhenNoneIsLeftToWaitForFailsTheAnswer) {
  const auto engine = engine_of({.slots = 1, .queue = 1, .threads = 1});
  const auto gate = held_up(*engine);
  Told told;
  std::vector<std::shared_ptr<Recording>> others;
  told.at_end = [&] {
    try {
      for (;;) {
        const auto other = std::make_shared<Recording>();
        engine->submit(greedy(engine->model(), "cd", 2), other);
        others.push_back(other);
      }
    } catch (const engine::QueueFull&) {  // as it is to be
    }
  };
  start(engine, told, 2, 1);
  gate->open();
  wait_for_the_end(told, *engine);
  expect_one_failure(told, 429);
  EXPECT_EQ(others.size(), 2u);
  for (const auto& other : others) EXPECT_EQ(other->wait().reason, FinishReason::length);
}

TEST(OpenAiGeneration, AChoiceThatFindsNoPlaceWaitsForTheEndOfAnother) {
  const auto engine = engine_of({.slots = 1, .queue = 0, .threads = 1});
  Told told;
  start(engine, told, 5);
  wait_for_the_end(told, *engine);
  EXPECT_TRUE(told.finished);
  EXPECT_EQ(told.ended, 5);
}

TEST(OpenAiGeneration, WhatTheEngineRefusesAtOnceIsThrownAndNeverBegun) {
  const auto engine = engine_of({.slots = 1, .queue = 0, .threads = 1});
  Told told;
  const auto status = [&] {
    try {
      start(engine, told, 2);
    } catch (const http::HttpError& error) {
      return error.status;
    }
    return 200;
  };
  const auto gate = held_up(*engine);
  EXPECT_EQ(status(), 429);
  gate->open();
  engine->drain(milliseconds(60'000));
  EXPECT_EQ(status(), 503);
  EXPECT_EQ(told.begun, 0);
}

}  // namespace
}  // namespace rlhf
