// Prompts that begin alike and run at the same time: who copies, who waits, and that the bits are
// those of reading.
#include "serve/engine/shared_prefix.h"

#include <gtest/gtest.h>

#include "serve/engine/step.h"
#include "tests/engine_helpers.h"

namespace rlhf::engine {
namespace {

class SharedPrefix : public testing::Test {
 protected:
  using Running = std::vector<std::shared_ptr<Request>>;

  /// One more request, in the next slot.
  Request& run(const Tokens& prompt, bool prompt_log_probs = false) {
    Job job;
    job.prompt = prompt;
    job.prompt_log_probs = prompt_log_probs;
    const uint64_t id = running.size();
    running.push_back(
        std::make_shared<Request>(id, job, std::make_shared<Recording>(), *model->tokenizer, 64));
    running.back()->begin(int64_t(id));
    return *running.back();
  }
  void read(size_t request, int64_t count) {
    const std::vector<Part> parts{{running[request], count}};
    read_parts(model->model.transformer, cache, recorder, parts);
    running[request]->filled += count;
  }
  SharedPrefixes share() { return share_prefixes(cache, running); }
  std::vector<float> row(const Request& request) {
    const Tensor keys = cache.layers.back().keys;
    const int64_t C = keys.shape()[2];
    return keys.view(request.slot * keys.shape()[1] * C, {request.filled, C}).to_vector<float>();
  }

  Model model = random_model();
  KvCache cache = model->model.transformer.make_cache(4, 64);
  Recorder recorder{Device::cpu};
  Running running;
};

Tokens prompt_of(int64_t length, int64_t shared, int32_t tail) {
  Tokens prompt;
  for (int64_t t = 0; t < length; t++) prompt.push_back(t < shared ? int32_t(3 + t * 5) : tail);
  return prompt;
}

TEST_F(SharedPrefix, IsCopiedAsFarAsItIsReadButForTheLastToken) {
  Request& first = run(prompt_of(12, 12, 0));
  Request& same = run(prompt_of(12, 12, 0));
  Request& longer = run(prompt_of(20, 8, 200));
  EXPECT_EQ(share().waiting, (std::set<const Request*>{&same}))
      << "8 of 20 tokens are less than half";
  read(0, 5);
  SharedPrefixes shared = share();
  EXPECT_EQ(shared.copied, 10);
  EXPECT_EQ(same.filled, 5);
  EXPECT_EQ(longer.filled, 5);
  EXPECT_EQ(shared.waiting, (std::set<const Request*>{&same}));
  read(0, 7);
  shared = share();
  EXPECT_EQ(shared.copied, 6 + 3);
  EXPECT_EQ(same.filled, 11);
  EXPECT_EQ(longer.filled, 8);
  EXPECT_TRUE(shared.waiting.empty());
  EXPECT_EQ(share().copied, 0);
  read(1, 1);
  EXPECT_EQ(row(same), row(first));
}

TEST_F(SharedPrefix, NobodyWaitsForAYoungerOneOrForOneThatStopped) {
  run(prompt_of(12, 12, 0));
  run(prompt_of(12, 12, 0));
  Request& third = run(prompt_of(12, 12, 0));
  EXPECT_EQ(share().waiting.size(), 2u);
  running.erase(running.begin());  // cancelled before it has read anything
  EXPECT_EQ(share().waiting, (std::set<const Request*>{&third}));
}

TEST_F(SharedPrefix, AMeasuredPromptCopiesNothingAndServesOthers) {
  Request& measured = run(prompt_of(12, 12, 0), true);
  Request& same = run(prompt_of(12, 12, 0));
  Request& again = run(prompt_of(12, 12, 0), true);
  read(0, 12);
  EXPECT_EQ(share().copied, 11);
  EXPECT_EQ(same.filled, 11);
  EXPECT_EQ(again.filled, 0);
  read(1, 1);
  EXPECT_EQ(row(same), row(measured));
}

TEST(EngineSharedPrefix, ChoicesOfOnePromptReadItOnceAndHaveTheBitsOfEachAlone) {
  const Model model = random_model();
  Engine engine(model, {.slots = 5, .prefill_chunk = 8});
  const auto gate = std::make_shared<Gate>();
  engine.submit(greedy(*model, "z", 2), gate);
  gate->wait_until_reached();
  Job job = greedy(*model, "a prompt of some length, thirty-six", 6);
  job.sampling.temperature = 0.9f;
  job.sampling.stop_tokens = {};
  std::vector<std::shared_ptr<Recording>> choices;
  for (uint64_t seed = 0; seed < 4; seed++) {
    job.sampling.seed = seed;
    choices.push_back(std::make_shared<Recording>());
    engine.submit(job, choices.back());
  }
  gate->open();
  int64_t cached = 0;
  for (uint64_t seed = 0; seed < 4; seed++) {
    cached += choices[seed]->wait().usage.cached_tokens;
    job.sampling.seed = seed;
    const auto alone =
        generate(model->model.transformer, std::vector<Tokens>{job.prompt}, job.sampling).at(0);
    Tokens tokens;
    std::vector<float> log_probs;
    for (const TokenOut& token : choices[seed]->tokens) {
      tokens.push_back(token.token);
      log_probs.push_back(token.log_prob);
    }
    EXPECT_EQ(tokens, alone.tokens) << seed;
    EXPECT_EQ(log_probs, alone.log_probs) << seed;
  }
  EXPECT_EQ(cached, 3 * (int64_t(job.prompt.size()) - 1));
  EXPECT_EQ(engine.stats().cached_tokens, uint64_t(cached));
}

}  // namespace
}  // namespace rlhf::engine
