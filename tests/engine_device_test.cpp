// The engine on a GPU beside the engine on the CPU: the same answers up to rounding, whatever runs
// beside them and however their prompts are cut. And beside another engine and a training on the
// same GPU: the same bits.
#include <gtest/gtest.h>

#include <future>

#include "rl/pretrain.h"
#include "tests/engine_helpers.h"
#include "tests/gpu.h"
#include "tests/tiny_models.h"

namespace rlhf::engine {
namespace {

/// One of every kind: greedy and drawn, filtered, penalised, with alternatives, measured.
std::vector<Job> jobs() {
  const auto prompts = random_sequences(8, 30, 256, 5);
  std::vector<Job> all;
  for (size_t i = 0; i < prompts.size(); i++) {
    Job job;
    job.prompt = prompts[i];
    job.sampling.max_new_tokens = 2 + int64_t(i * 3 % 7);
    job.sampling.temperature = i % 2 == 0 ? 0 : 0.8f;
    job.sampling.top_k = i == 3 ? 20 : 0;
    job.sampling.repetition_penalty = i == 4 ? 1.3f : 1;
    job.sampling.seed = i;
    job.presence_penalty = i == 5 ? 0.5f : 0;
    job.top_log_probs = i == 6 ? 3 : -1;
    job.prompt_log_probs = i == 7;
    all.push_back(job);
  }
  return all;
}

std::vector<Completion> answers(const Placement& placement) {
  const Model model = random_model();
  move_parameters(model->model, placement);
  Engine engine(model, {.slots = 4, .prefill_chunk = 16});
  std::vector<std::future<Completion>> running;
  for (const Job& job : jobs()) {
    running.push_back(
        std::async(std::launch::async, [&engine, job] { return complete(engine, job); }));
  }
  std::vector<Completion> all;
  for (auto& one : running) all.push_back(one.get());
  return all;
}

TEST(EngineDevice, AnswersAreThoseOfTheCpu) {
  RLHF_NEEDS_GPU();
  const auto expected = answers({}), got = answers({Device::cuda, DType::f32});
  for (size_t i = 0; i < expected.size(); i++) {
    SCOPED_TRACE(i);
    EXPECT_EQ(got[i].finish.error, "");
    ASSERT_EQ(got[i].tokens, expected[i].tokens);
    for (size_t t = 0; t < got[i].tokens.size(); t++) {
      EXPECT_NEAR(got[i].log_probs[t], expected[i].log_probs[t], 1e-3);
    }
    ASSERT_EQ(got[i].prompt.size(), expected[i].prompt.size());
    for (size_t t = 1; t < got[i].prompt.size(); t++) {
      EXPECT_NEAR(got[i].prompt[t].log_prob, expected[i].prompt[t].log_prob, 1e-3);
    }
  }
}

/// One after another: on a GPU a row's last digits may depend on what is in its batch.
std::vector<Completion> answers_in_turn(uint64_t first_seed) {
  const Model model = random_model();
  move_parameters(model->model, {Device::cuda, DType::f32});
  Engine engine(model, {.slots = 2, .prefill_chunk = 16});
  std::vector<Completion> all;
  for (Job job : jobs()) {
    job.sampling.seed += first_seed;
    all.push_back(complete(engine, job));
  }
  return all;
}

void expect_same(const std::vector<Completion>& got, const std::vector<Completion>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < expected.size(); i++) {
    SCOPED_TRACE(i);
    EXPECT_EQ(got[i].finish.error, "");
    EXPECT_EQ(got[i].tokens, expected[i].tokens);
    EXPECT_EQ(got[i].log_probs, expected[i].log_probs);
  }
}

std::vector<float> pretrained() {
  Gpt2Config shape = tiny_config(12);
  shape.set_dropout(0.1f);
  Gpt2 model = make_gpt2(shape, 1);
  move_parameters(model, {Device::cuda, DType::f32});
  Tokens stream;
  for (int i = 0; i < 200; i++) stream.push_back((i * i + 3 * i) % 12);
  const PretrainConfig config{
      .training = {.max_steps = 8, .batch_size = 3, .gradient_accumulation_steps = 2},
      .block_size = 8,
      .eval_steps = 4,
      .logging_steps = 1};
  pretrain(model, TokenStream(stream), TokenStream(Tokens(20, 3)), config,
           [](int64_t, int64_t, const Metrics&) {});
  return parameters_of(model);
}

TEST(EngineDevice, EnginesAndATrainingShareAGpuAsIfEachHadItAlone) {
  RLHF_NEEDS_GPU();
  const auto first = answers_in_turn(0), second = answers_in_turn(100);
  const std::vector<float> parameters = pretrained();
  const auto beside = [](auto work) { return std::async(std::launch::async, work); };
  auto one = beside([] { return answers_in_turn(0); });
  auto other = beside([] { return answers_in_turn(100); });
  auto training = beside(pretrained);
  expect_same(one.get(), first);
  expect_same(other.get(), second);
  EXPECT_EQ(training.get(), parameters);
}

}  // namespace
}  // namespace rlhf::engine
