// The commands that learning from votes runs.
#include "serve/learning_plan.h"

#include <gtest/gtest.h>

#include "core/check.h"
#include "tests/message_of.h"

namespace rlhf::serve {
namespace {

using Arguments = std::vector<std::string>;

const LearningFiles kFiles{.base = "base",
                           .preferences = "p.jsonl",
                           .held_out = "h.jsonl",
                           .prompts = "q.jsonl",
                           .output = "out",
                           .seed = 3};

TEST(LearningPlan, DpoIsOneCommand) {
  const auto plan = learning_plan({.dpo_config = "dpo.cfg"}, kFiles);
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].output, "out/dpo");
  EXPECT_EQ(plan[0].arguments,
            (Arguments{"dpo", "--model_name_or_path", "base", "--dataset_name", "p.jsonl",
                       "--output_dir", "out/dpo", "--seed", "3", "--config", "dpo.cfg",
                       "--eval_dataset_name", "h.jsonl"}));
}

TEST(LearningPlan, PpoAnswersPromptsForTheRewardOfTheVotes) {
  LearningFiles files = kFiles;
  files.held_out.clear();
  const auto plan = learning_plan({.method = LearningMethod::ppo, .response_length = 24}, files);
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_EQ(plan[0].arguments,
            (Arguments{"reward", "--model_name_or_path", "base", "--dataset_name", "p.jsonl",
                       "--output_dir", "out/reward", "--seed", "3"}));
  EXPECT_EQ(plan[1].arguments,
            (Arguments{"ppo", "--model_name_or_path", "base", "--dataset_name", "q.jsonl",
                       "--output_dir", "out/ppo", "--seed", "3", "--reward_model_path",
                       "out/reward", "--response_length", "24"}));
}

TEST(LearningPlan, NamesMethods) {
  EXPECT_EQ(learning_method("ppo"), LearningMethod::ppo);
  EXPECT_EQ(name_of(LearningMethod::dpo), "dpo");
  EXPECT_EQ(message_of<InputError>([] { learning_method("grpo"); }),
            "[method] expected dpo or ppo, got \"grpo\"");
}

}  // namespace
}  // namespace rlhf::serve
