// The engine on a GPU beside the engine on the CPU: the same answers up to rounding, whatever runs
// beside them and however their prompts are cut.
#include <gtest/gtest.h>

#include "tests/engine_helpers.h"
#include "tests/gpu.h"

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

}  // namespace
}  // namespace rlhf::engine
