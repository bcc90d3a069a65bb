// How requests end that do not end by themselves, who waits for whom, and what an engine survives:
// cancellation, timeouts, full queues, draining, models that have diverged, listeners that throw.
#include <gtest/gtest.h>

#include <limits>

#include "serve/engine/fair_queue.h"
#include "tests/engine_helpers.h"

namespace rlhf::engine {
namespace {

using std::chrono::milliseconds;

Job long_job(const LoadedLanguageModel& model, std::string client = "") {
  Job job = greedy(model, "x", 1000);
  job.sampling.stop_tokens = {};
  job.client = std::move(client);
  return job;
}

/// An engine with one slot, held up in the middle of a request's first token.
struct HeldUp {
  Model model = random_model(400);
  Engine engine;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>(1);
  uint64_t id;

  explicit HeldUp(Options options = {.slots = 1}, Job job = {}) : engine(model, options) {
    id = engine.submit(job.prompt.empty() ? long_job(*model) : job, gate);
    gate->wait_until_reached();
  }
  ~HeldUp() { gate->open(); }
};

TEST(EngineCancel, NoMoreThanOneTokenComesAfterIt) {
  const Model model = random_model(400);
  Engine engine(model, {.slots = 2});
  const auto gate = std::make_shared<Gate>(), other = std::make_shared<Gate>();
  const uint64_t id = engine.submit(long_job(*model), gate);
  gate->wait_until_reached();
  engine.cancel(id);
  gate->open();
  const Finish finish = gate->wait();
  EXPECT_EQ(finish.reason, FinishReason::cancelled);
  EXPECT_EQ(gate->tokens.size(), 1u);
  engine.cancel(id);    // again
  engine.cancel(9999);  // nobody
  EXPECT_EQ(engine.stats().running, 0);
}

TEST(EngineCancel, AListenerThatHasEnoughEndsItsAnswer) {
  const Model model = random_model(400);
  Engine engine(model, {.slots = 2});
  const auto listener = std::make_shared<Recording>(3);
  engine.submit(long_job(*model), listener);
  EXPECT_EQ(listener->wait().reason, FinishReason::cancelled);
  EXPECT_EQ(listener->tokens.size(), 3u);
}

TEST(EngineCancel, AWaitingRequestEndsWithoutAToken) {
  HeldUp held;
  const auto waiting = std::make_shared<Recording>();
  held.engine.cancel(held.engine.submit(long_job(*held.model), waiting));
  held.gate->open();
  EXPECT_EQ(waiting->wait().reason, FinishReason::cancelled);
  EXPECT_TRUE(waiting->tokens.empty());
}

struct Throwing : Recording {
  bool on_token(const TokenOut& token) override {
    Recording::on_token(token);
    throw std::runtime_error("the client is gone");
  }
};

TEST(EngineCancel, AListenerThatThrowsIsOneThatHasLeft) {
  const Model model = random_model();
  Engine engine(model, {.slots = 2});
  const auto listener = std::make_shared<Throwing>();
  engine.submit(long_job(*model), listener);
  EXPECT_EQ(listener->wait().reason, FinishReason::cancelled);
  EXPECT_EQ(complete(engine, greedy(*model, "ab", 3)).tokens.size(), 3u);
}

TEST(EngineTimeout, EndsARunningRequestWithAllItsText) {
  const Model model = random_model(4000);
  Engine engine(model, {.slots = 1, .capacity = 4000});
  Job job = greedy(*model, "x", 3900);
  job.sampling.stop_tokens = {};
  job.sampling.temperature = 1;
  job.timeout = milliseconds(20);
  const Completion got = complete(engine, job);
  EXPECT_EQ(got.finish.reason, FinishReason::timeout);
  EXPECT_GE(got.tokens.size(), 1u);
  StreamDecoder decoder(*model->tokenizer);
  std::string text;
  for (const int32_t token : got.tokens) text += decoder.push(token);
  EXPECT_EQ(got.text, text + decoder.finish());
}

TEST(EngineTimeout, EndsARequestThatHasWaitedTooLong) {
  HeldUp held;
  Job job = long_job(*held.model);
  job.timeout = milliseconds(1);
  const auto waiting = std::make_shared<Recording>();
  held.engine.submit(job, waiting);
  std::this_thread::sleep_for(milliseconds(3));
  held.gate->open();
  EXPECT_EQ(waiting->wait().reason, FinishReason::timeout);
  EXPECT_TRUE(waiting->tokens.empty());
}

TEST(EngineQueue, IsFullAtItsLimitAndSaysSo) {
  HeldUp held({.slots = 1, .queue = 2});
  std::vector<std::shared_ptr<Recording>> waiting;
  for (int i = 0; i < 2; i++) {
    waiting.push_back(std::make_shared<Recording>(1));
    held.engine.submit(long_job(*held.model), waiting.back());
  }
  EXPECT_THROW(held.engine.submit(long_job(*held.model), std::make_shared<Recording>()), QueueFull);
  const Stats stats = held.engine.stats();
  EXPECT_EQ(stats.running, 1);
  EXPECT_EQ(stats.waiting, 2);
  EXPECT_EQ(stats.refused, 1u);
  held.gate->open();
  for (const auto& listener : waiting) listener->wait();
  EXPECT_NO_THROW(complete(held.engine, greedy(*held.model, "a", 1)));
}

TEST(EngineQueue, OneClientCannotTakeAllPlacesFromTheOthers) {
  HeldUp held({.slots = 1, .queue = 2});
  std::vector<std::shared_ptr<Recording>> waiting;
  const auto submit = [&](const char* client) {
    const auto listener = std::make_shared<Recording>(1);
    held.engine.submit(long_job(*held.model, client), listener);
    waiting.push_back(listener);
  };
  submit("greedy");
  submit("greedy");
  EXPECT_THROW(submit("greedy"), QueueFull);
  submit("late");
  EXPECT_THROW(submit("late"), QueueFull) << "it has one";
  EXPECT_THROW(submit("greedy"), QueueFull);
  submit("later");
  EXPECT_THROW(submit("latest"), QueueFull) << "twice the bound";
  EXPECT_EQ(held.engine.stats().waiting, 4);
  EXPECT_EQ(held.engine.stats().refused, 4u);
  held.gate->open();
  for (const auto& listener : waiting) listener->wait();
  EXPECT_EQ(held.engine.stats().waiting, 0);
}

/// Writes down whose request it was when it began.
struct Ordered : Recording {
  Ordered(std::string name, std::vector<std::string>& order)
      : Recording(1), name(std::move(name)), order(order) {}
  bool on_token(const TokenOut& token) override {
    order.push_back(name);
    return Recording::on_token(token);
  }
  std::string name;
  std::vector<std::string>& order;
};

TEST(EngineFairness, ClientsTakeTurnsHoweverManyRequestsTheyHave) {
  std::vector<std::string> order;
  HeldUp held({.slots = 1});
  std::vector<std::shared_ptr<Ordered>> all;
  for (const char* client : {"a", "a", "a", "a", "a", "b", "b", "c"}) {
    all.push_back(std::make_shared<Ordered>(client, order));
    held.engine.submit(long_job(*held.model, client), all.back());
  }
  held.gate->open();
  for (const auto& listener : all) listener->wait();
  EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "c", "a", "b", "a", "a", "a"}));
}

TEST(EngineFairness, AFreeSlotGoesToWhoeverHasTheFewestRunning) {
  const Model model = random_model(400);
  const auto request = [&](const std::string& client) {
    return std::make_shared<Request>(1, long_job(*model, client), std::make_shared<Recording>(),
                                     *model->tokenizer, 400);
  };
  FairQueue queue;
  for (int i = 0; i < 3; i++) queue.push(request("greedy"));
  EXPECT_EQ(queue.pop()->job().client, "greedy");
  EXPECT_EQ(queue.pop()->job().client, "greedy");
  queue.push(request("late"));
  queue.push(request("late"));
  EXPECT_EQ(queue.waiting(), 3);
  EXPECT_EQ(queue.pop()->job().client, "late");
  EXPECT_EQ(queue.pop()->job().client, "late");
  queue.ended("greedy");
  EXPECT_EQ(queue.remove_if([](const Request& r) { return r.job().client == "late"; }).size(), 0u);
  EXPECT_EQ(queue.pop()->job().client, "greedy");
  EXPECT_EQ(queue.pop(), nullptr);
}

/// How many tokens the others get while one long prompt is read.
TEST(EngineFairness, ALongPromptDoesNotStopTheOthers) {
  const Model model = random_model(2000);
  Engine engine(model, {.slots = 2, .prefill_chunk = 16});
  Job job = long_job(*model);
  job.prompt = Tokens(1600, 4);  // 100 chunks
  job.sampling.max_new_tokens = 1;
  const auto talker = std::make_shared<Gate>();
  const auto reader = std::make_shared<Recording>();
  engine.submit(long_job(*model), talker);
  talker->wait_until_reached();
  engine.submit(job, reader);
  talker->open();
  reader->wait();
  const uint64_t generated = engine.stats().generated_tokens;
  EXPECT_GE(generated, 95u) << "one token a chunk";
  EXPECT_LE(generated, 300u);
}

TEST(EngineDrain, FinishesWhatThereIsAndTakesNoMore) {
  HeldUp held;
  const auto waiting = std::make_shared<Recording>();
  held.engine.submit(greedy(*held.model, "ab", 5), waiting);
  auto drained = std::async(std::launch::async, [&] { held.engine.drain(milliseconds(60000)); });
  while (!held.engine.stats().draining) std::this_thread::yield();
  EXPECT_THROW(held.engine.submit(long_job(*held.model), std::make_shared<Recording>()), Draining);
  held.gate->open();
  drained.get();
  EXPECT_EQ(waiting->wait().reason, FinishReason::length);
  EXPECT_EQ(held.engine.stats().running, 0);
}

/// A job of an answer of which another has been accepted.
Job going_on(const LoadedLanguageModel& model) {
  Job job = greedy(model, "ab", 5);
  job.goes_on = true;
  return job;
}

TEST(EngineDrain, LetsAnswersUnderWayGoOn) {
  HeldUp held;
  auto drained = std::async(std::launch::async, [&] { held.engine.drain(milliseconds(60000)); });
  while (!held.engine.stats().draining) std::this_thread::yield();
  const auto more = std::make_shared<Recording>();
  held.engine.submit(going_on(*held.model), more);
  EXPECT_THROW(held.engine.submit(long_job(*held.model), std::make_shared<Recording>()), Draining);
  held.gate->open();
  drained.get();
  EXPECT_EQ(more->wait().reason, FinishReason::length);
  EXPECT_THROW(held.engine.submit(going_on(*held.model), std::make_shared<Recording>()), Draining)
      << "what is drained stays so";
}

TEST(EngineDrain, TakesNothingOnceItCancels) {
  HeldUp held({.slots = 1, .queue = 100'000});
  auto drained = std::async(std::launch::async, [&] { held.engine.drain(milliseconds(1)); });
  std::vector<std::shared_ptr<Recording>> accepted;
  EXPECT_THROW(
      for (;;) {
        const auto more = std::make_shared<Recording>();
        held.engine.submit(going_on(*held.model), more);
        accepted.push_back(more);
        std::this_thread::sleep_for(milliseconds(1));
      },
      Draining);
  held.gate->open();
  drained.get();
  for (const auto& more : accepted) EXPECT_EQ(more->wait().reason, FinishReason::cancelled);
}

struct Slow : Recording {
  bool on_token(const TokenOut& token) override {
    std::this_thread::sleep_for(milliseconds(1));
    return Recording::on_token(token);
  }
};

TEST(EngineDrain, CancelsWhatTakesTooLong) {
  const Model model = random_model(4000);
  Engine engine(model, {.slots = 1});
  const auto running = std::make_shared<Slow>(), waiting = std::make_shared<Slow>();
  Job job = greedy(*model, "x", 3900);
  job.sampling.stop_tokens = {};
  engine.submit(job, running);
  engine.submit(job, waiting);
  engine.drain(milliseconds(5));
  EXPECT_EQ(running->wait().reason, FinishReason::cancelled);
  EXPECT_EQ(waiting->wait().reason, FinishReason::cancelled);
}

TEST(EngineEnd, DestructionCancelsEverything) {
  const Model model = random_model(400);
  std::vector<std::shared_ptr<Recording>> all;
  {
    Engine engine(model, {.slots = 2});
    for (int i = 0; i < 6; i++) {
      all.push_back(std::make_shared<Recording>());
      engine.submit(long_job(*model), all.back());
    }
  }
  for (const auto& listener : all) {
    const FinishReason reason = listener->wait().reason;
    EXPECT_TRUE(reason == FinishReason::cancelled || reason == FinishReason::length);
  }
}

struct Owner : Recording {
  explicit Owner(std::promise<void>& done) : Recording(2), done(done) {}
  void on_finish(const Finish& finish) override {
    engine.reset();
    Recording::on_finish(finish);
    done.set_value();
  }
  std::unique_ptr<Engine> engine;
  std::promise<void>& done;
};

TEST(EngineEnd, AListenerMayBeTheLastOwner) {
  const Model model = random_model(400);
  std::promise<void> done;
  {
    const auto gate = std::make_shared<Gate>(1);
    auto owner = std::make_shared<Owner>(done);
    auto engine = std::make_unique<Engine>(model, Options{.slots = 1});
    engine->submit(long_job(*model), gate);
    gate->wait_until_reached();
    engine->submit(long_job(*model), owner);
    owner->engine = std::move(engine);
    owner.reset();
    gate->open();
  }
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(EngineError, AModelThatHasDivergedFailsItsRequestsAndNothingElse) {
  const Model model = random_model();
  model->model.transformer.ln_f.weight.data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  Engine engine(model, {.slots = 2});
  for (const bool measured : {false, true}) {
    Job job = greedy(*model, "some prompt", measured ? 0 : 4);
    job.prompt_log_probs = measured;
    const Completion got = complete(engine, job);
    EXPECT_EQ(got.finish.reason, FinishReason::error);
    EXPECT_EQ(got.finish.error,
              "[engine] expected finite logits, got NaN: the model's parameters are not finite");
    EXPECT_TRUE(got.tokens.empty());
  }
  EXPECT_EQ(engine.stats().finished[size_t(FinishReason::error)], 2u);
}

}  // namespace
}  // namespace rlhf::engine
