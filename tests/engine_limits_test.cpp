// What an engine refuses, and what it counts.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine_helpers.h"
#include "tests/message_of.h"

namespace rlhf::engine {
namespace {

TEST(EngineCheck, RefusesWhatNoModelCanDo) {
  const Model model = random_model(16);
  Engine engine(model, {.slots = 1});
  const auto refusal = [&](auto change) {
    Job job = greedy(*model, "abc", 4);
    change(job);
    const std::string said = message_of<JobError>([&] { engine.check(job); });
    EXPECT_EQ(message_of<JobError>([&] { engine.submit(job, std::make_shared<Recording>()); }),
              said);
    return said;
  };
  EXPECT_EQ(refusal([](Job& j) { j.prompt = {}; }),
            "[prompt] expected at least one token, got none");
  EXPECT_EQ(refusal([](Job& j) { j.prompt = Tokens(16, 1); }),
            "[prompt] expected at most 15 tokens, got 16");
  EXPECT_EQ(refusal([](Job& j) {
              j.prompt = {1, 258};
            }),
            "[prompt] expected token ids from 0 to 257, got 258");
  EXPECT_EQ(refusal([](Job& j) { j.sampling.temperature = NAN; }),
            "[temperature] expected a number from 0 to 100, got nan");
  EXPECT_EQ(refusal([](Job& j) { j.sampling.top_p = 0; }), "[top_p] expected more than 0, got 0");
  EXPECT_EQ(refusal([](Job& j) { j.sampling.max_new_tokens = -1; }),
            "[max_new_tokens] expected at least 0, got -1");
  EXPECT_EQ(refusal([](Job& j) {
              j.logit_bias = {{-1, 1}};
            }),
            "[logit_bias] expected token ids from 0 to 257, got -1");
  EXPECT_EQ(refusal([](Job& j) { j.stop = {""}; }), "[stop] expected 1 to 4096 bytes, got 0");
  EXPECT_EQ(refusal([](Job& j) { j.stop = {"\xff"}; }).substr(0, 22), "[stop] expected UTF-8,");
  EXPECT_EQ(refusal([](Job& j) { j.timeout = std::chrono::milliseconds(-1); }),
            "[timeout] expected 0 to 2592000000 ms, got -1");
  EXPECT_EQ(message_of<InputError>([&] { Engine(model, {.slots = 0}); }),
            "[slots] expected at least 1, got 0");
  EXPECT_EQ(message_of<InputError>([&] { Engine(model, {.capacity = 17}); }),
            "[capacity] expected 2 to the model's 16 positions, got 17");
  EXPECT_EQ(engine.stats().running + engine.stats().waiting, 0);
}

TEST(EngineCheck, SaysWhichFieldIsWrong) {
  const Model model = random_model(16);
  const Engine engine(model, {.slots = 1});
  Job job = greedy(*model, "abc", 4);
  EXPECT_NO_THROW(engine.check(job));
  job.frequency_penalty = 101;
  try {
    engine.check(job);
    FAIL();
  } catch (const JobError& error) {
    EXPECT_EQ(error.field, "frequency_penalty");
    EXPECT_EQ(error.reason, "expected a number from -100 to 100, got 101");
  }
}

TEST(EngineStats, CountWhatHappened) {
  const Model model = random_model();
  Engine engine(model, {.slots = 2});
  const Job job = greedy(*model, "abcdef", 4);
  complete(engine, job);
  complete(engine, job);
  const Stats stats = engine.stats();
  EXPECT_EQ(stats.slots, 2);
  EXPECT_EQ(stats.prompt_tokens, 12u);
  EXPECT_EQ(stats.cached_tokens, 5u);
  EXPECT_EQ(stats.generated_tokens, 8u);
  EXPECT_EQ(stats.finished[size_t(FinishReason::length)], 2u);
  EXPECT_EQ(stats.time_to_first_token.count, 2u);
  EXPECT_EQ(stats.time_per_token.count, 6u);
  EXPECT_EQ(stats.request_duration.count, 2u);
  EXPECT_GT(stats.tokens_per_second, 0);
  Histogram histogram;
  for (const double seconds : {0.0, 0.001, 0.0011, 60.0, 61.0}) histogram.add(seconds);
  EXPECT_EQ(histogram.buckets.front(), 2u);
  EXPECT_EQ(histogram.buckets[1], 1u);
  EXPECT_EQ(histogram.buckets[histogram.bounds.size() - 1], 1u);
  EXPECT_EQ(histogram.buckets.back(), 1u);
}

}  // namespace
}  // namespace rlhf::engine
