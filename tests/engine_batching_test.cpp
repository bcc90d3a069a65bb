// What an engine promises about bits: a request's tokens are those of generate() alone, whatever
// runs beside it, however its prompt is cut into chunks and whatever the cache held of it already.
#include <gtest/gtest.h>

#include <cstring>

#include "nn/narrow_weights.h"
#include "serve/engine/slots.h"
#include "tests/engine_helpers.h"

namespace rlhf::engine {
namespace {

bool equal_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Requests of every length and every kind of sampling.
std::vector<Job> mixed_jobs(size_t count, const LoadedLanguageModel& model) {
  const auto prompts = random_sequences(count, 40, 256, 5);
  std::vector<Job> jobs;
  for (size_t i = 0; i < count; i++) {
    Job job;
    job.prompt = prompts[i];
    job.sampling.max_new_tokens = 3 + int64_t(i * 7 % 23);
    job.sampling.temperature = std::vector<float>{1, 0, 0.7f, 1.5f}[i % 4];
    job.sampling.top_k = i % 3 == 1 ? 20 : 0;
    job.sampling.top_p = i % 5 == 2 ? 0.8f : 1;
    job.sampling.min_p = i % 7 == 3 ? 0.05f : 0;
    job.sampling.repetition_penalty = i % 4 == 2 ? 1.3f : 1;
    job.sampling.seed = 100 + i % 6;
    job.sampling.first_sequence = i;
    if (i % 2 == 0) job.sampling.stop_tokens = {model.tokenizer->eos(), 7, 90, 200};
    jobs.push_back(job);
  }
  return jobs;
}

void expect_alone(const Model& model, const Job& job, const Completion& got) {
  const Generated alone = generate(model->model.transformer, {&job.prompt, 1}, job.sampling)[0];
  EXPECT_EQ(got.tokens, alone.tokens);
  EXPECT_TRUE(equal_bits(got.log_probs, alone.log_probs));
  EXPECT_EQ(got.finish.reason, alone.stopped ? FinishReason::stop : FinishReason::length)
      << got.finish.error;
}

/// All at the same time, each from a thread of its own.
std::vector<Completion> complete_all(Engine& engine, const std::vector<Job>& jobs) {
  std::vector<std::future<Completion>> running;
  for (const Job& job : jobs) {
    running.push_back(
        std::async(std::launch::async, [&engine, job] { return complete(engine, job); }));
  }
  std::vector<Completion> completions;
  for (auto& future : running) completions.push_back(future.get());
  return completions;
}

TEST(EngineBatching, MixedRequestsHaveTheBitsOfGenerationAlone) {
  const Model model = random_model();
  const std::vector<Job> jobs = mixed_jobs(16, *model);
  Engine engine(model, {.slots = 16, .prefill_chunk = 11});
  const auto completions = complete_all(engine, jobs);
  for (size_t i = 0; i < jobs.size(); i++) {
    SCOPED_TRACE(i);
    expect_alone(model, jobs[i], completions[i]);
  }
}

TEST(EngineBatching, MoreRequestsThanSlotsHaveThemToo) {
  const Model model = random_model();
  const std::vector<Job> jobs = mixed_jobs(48, *model);
  Engine engine(model, {.slots = 5, .prefill_chunk = 128});
  const auto completions = complete_all(engine, jobs);
  for (size_t i = 0; i < jobs.size(); i++) {
    SCOPED_TRACE(i);
    expect_alone(model, jobs[i], completions[i]);
  }
}

TEST(EngineBatching, NarrowWeightsAreServedAsTheyAreGenerated) {
  const Model model = random_model();
  narrow_weights(model->model.transformer, DType::i8);
  const std::vector<Job> jobs = mixed_jobs(12, *model);
  Engine engine(model, {.slots = 6});
  const auto completions = complete_all(engine, jobs);
  for (size_t i = 0; i < jobs.size(); i++) {
    SCOPED_TRACE(i);
    expect_alone(model, jobs[i], completions[i]);
  }
}

TEST(EngineBatching, ReservesNoMoreThanTheCapacity) {
  const Model model = random_model();
  Engine engine(model, {.slots = 2, .capacity = 20});
  EXPECT_EQ(engine.capacity(), 20);
  Job job;
  job.prompt = Tokens(17, 3);
  job.sampling.max_new_tokens = 50;
  const Completion got = complete(engine, job);
  EXPECT_EQ(got.tokens.size(), 3u);
  EXPECT_EQ(got.finish.reason, FinishReason::length);
  job.sampling.max_new_tokens = 3;
  expect_alone(model, job, got);
}

TEST(EnginePrefix, ANextTurnBeginsWithTheLastOnesCacheAndHasTheSameBits) {
  const Model model = random_model();
  Engine engine(model, {.slots = 3});
  Job job = mixed_jobs(1, *model)[0];
  job.sampling.stop_tokens = {};
  job.prompt = Tokens{5, 9, 1, 1, 30};
  for (int64_t cached = 0, turn = 0; turn < 4; turn++) {
    SCOPED_TRACE(turn);
    const Completion got = complete(engine, job);
    expect_alone(model, job, got);
    EXPECT_EQ(got.finish.usage.cached_tokens, cached);
    EXPECT_EQ(got.finish.usage.prompt_tokens, int64_t(job.prompt.size()));
    EXPECT_EQ(got.finish.usage.completion_tokens, int64_t(got.tokens.size()));
    job.prompt.insert(job.prompt.end(), got.tokens.begin(), got.tokens.end());
    cached = int64_t(job.prompt.size()) - 1;  // the last token was never read
    job.prompt.insert(job.prompt.end(), {40, 2, int32_t(turn)});
    complete(engine, mixed_jobs(8, *model)[7]);  // somebody else's, meanwhile
  }
}

TEST(EnginePrefix, TheSamePromptAgainReadsItsLastTokenAlone) {
  const Model model = random_model();
  Engine engine(model, {.slots = 2});
  Job job = mixed_jobs(3, *model)[2];
  job.prompt = random_sequences(1, 1, 256, 9)[0];
  job.prompt.resize(30, 4);
  complete(engine, job);
  job.sampling.seed = 77;
  const Completion again = complete(engine, job);
  EXPECT_EQ(again.finish.usage.cached_tokens, 29);
  expect_alone(model, job, again);
  // Cut in the middle of what the slot holds.
  job.prompt[20] = 90;
  const Completion other = complete(engine, job);
  EXPECT_EQ(other.finish.usage.cached_tokens, 20);
  expect_alone(model, job, other);
}

TEST(EngineSlots, TheLongestSharedPrefixWinsAndAmongStrangersTheOldest) {
  Slots slots(3);
  const Tokens a{1, 2, 3, 4, 5, 6}, b{1, 2, 9, 9, 9, 9, 9, 9};
  for (const Tokens& held : {a, b}) slots.give_back(slots.take({77}, true).slot, held);
  EXPECT_EQ(slots.free(), 3);
  // The first of the two takes slot 0, the second 1: nobody has used the others for longer.
  EXPECT_EQ(slots.take({1, 2, 3, 4, 5, 7}, true).slot, 0);
  const Slots::Place stranger = slots.take({1, 50, 51, 52, 53, 54}, true);
  EXPECT_EQ(stranger.slot, 2) << "one shared token is not worth a conversation";
  EXPECT_EQ(stranger.common, 0);
  const Slots::Place same = slots.take(b, true);
  EXPECT_EQ(same.slot, 1);
  EXPECT_EQ(same.common, int64_t(b.size()) - 1);
  EXPECT_EQ(slots.free(), 0);
  EXPECT_EQ(slots.take(a, true).slot, -1);
  slots.give_back(0, a);
  EXPECT_EQ(slots.take(a, false).common, 0);
}

}  // namespace
}  // namespace rlhf::engine
