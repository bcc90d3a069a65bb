// One step that reads pieces of many requests: what it finds out about each of them is what the
// model says of that sequence alone.
#include "serve/engine/step.h"

#include <gtest/gtest.h>

#include "tests/engine_helpers.h"

namespace rlhf::engine {
namespace {

constexpr int64_t slots = 7, channels = 24;

/// Requests with prompts of these lengths, from the last slot of a cache to its first.
std::vector<std::shared_ptr<Request>> requests(const Model& model,
                                               const std::vector<size_t>& lengths) {
  std::vector<std::shared_ptr<Request>> all;
  for (size_t i = 0; i < lengths.size(); i++) {
    Job job;
    for (size_t t = 0; t < lengths[i]; t++) job.prompt.push_back(int32_t(i * 31 + t * 7) % 256);
    all.push_back(
        std::make_shared<Request>(i, job, std::make_shared<Recording>(), *model->tokenizer, 64));
    all.back()->begin(slots - 1 - int64_t(i));
  }
  return all;
}

/// Reads parts, and compares with the states behind the same tokens of the prompt alone.
void expect_alone(const Model& model, const KvCache& cache, const std::vector<Part>& parts) {
  const Gpt2& gpt2 = model->model.transformer;
  Recorder recorder(Device::cpu);
  const StepStates states = read_parts(gpt2, cache, recorder, parts);
  int64_t row = 0, speaking = 0;
  for (const Part& part : parts) {
    SCOPED_TRACE(part.request->id());
    const Tensor alone = gpt2(pad_right({&part.request->job().prompt, 1}));
    const Tensor wanted = alone.view(part.request->filled * channels, {part.count, channels});
    const Tensor got = states.hidden.view(row * channels, {part.count, channels});
    EXPECT_EQ(got.to_vector<float>(), wanted.to_vector<float>());
    row += part.count;
    if (part.speaks()) {
      const Tensor logits = gpt2.logits(wanted.view((part.count - 1) * channels, {1, channels}));
      EXPECT_EQ(
          states.logits.view(speaking++ * byte_vocabulary, {byte_vocabulary}).to_vector<float>(),
          logits.to_vector<float>());
    }
    part.request->filled += part.count;
  }
  EXPECT_EQ(states.hidden.shape().rows(), row);
  EXPECT_EQ(states.logits.defined() ? states.logits.shape()[0] : 0, speaking);
}

TEST(EngineStep, PartsOfDifferentLengthsHaveTheBitsOfEachAlone) {
  const Model model = random_model();
  const KvCache cache = model->model.transformer.make_cache(slots, 64);
  const auto all = requests(model, {1, 8, 9, 12, 12, 60});
  expect_alone(model, cache, {{all[0], 1}, {all[1], 1}, {all[2], 5}, {all[3], 5}, {all[5], 40}});
  // Some end with this step, one begins; two go on at different places with as many tokens.
  expect_alone(model, cache, {{all[2], 4}, {all[3], 7}, {all[1], 7}, {all[4], 12}, {all[5], 20}});
}

TEST(EngineStep, NobodySpeaksBeforeItsLastTokenIsRead) {
  const Model model = random_model();
  const KvCache cache = model->model.transformer.make_cache(slots, 64);
  const auto all = requests(model, {3, 5});
  expect_alone(model, cache, {{all[0], 2}, {all[1], 2}});
  expect_alone(model, cache, {{all[0], 1}, {all[1], 1}});
  expect_alone(model, cache, {{all[1], 2}});
}

}  // namespace
}  // namespace rlhf::engine
