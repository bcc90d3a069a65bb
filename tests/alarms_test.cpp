// Each alarm on metrics that deserve it, and none on those of a healthy run.
#include "rl/alarms.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rlhf {
namespace {

Metrics healthy() {
  return {{"val/first_logprob_difference", 0},
          {"objective/kl", 2},
          {"objective/scores", 0.5},
          {"objective/scores_std", 1},
          {"policy/entropy_avg", 2},
          {"policy/clipfrac_avg", 0.05},
          {"loss/value_avg", 0.1},
          {"val/explained_variance", 0.5},
          {"tokens/responses_len_mean", 20},
          {"tokens/responses_repetition", 0.05},
          {"tokens/responses_eos_share", 0.9},
          {"response_length", 53},
          {"early_stops", 0}};
}

Metrics with(const std::string& name, double value) {
  Metrics metrics = healthy();
  for (auto& [key, old] : metrics) {
    if (key == name) old = value;
  }
  return metrics;
}

TEST(Alarms, AHealthyRunHasNone) {
  Alarms alarms(1);
  for (int64_t update = 1; update <= 30; update++) {
    EXPECT_TRUE(alarms.check(update, healthy()).empty());
  }
  EXPECT_TRUE(alarms.counts().empty());
}

struct Sick {
  const char* kind;
  const char* metric;
  double value;
  int in_a_row;        // updates until it is told
  const char* advice;  // a flag that the line must name
};

TEST(Alarms, EachNamesWhatIsSeenAndAFlagToTurn) {
  const std::vector<Sick> cases{
      {"ratio_not_one", "val/first_logprob_difference", 0.3, 1, "defect"},
      {"kl_negative", "objective/kl", -2.5, 1, "--kl_estimator"},
      {"kl_exploding", "objective/kl", 80, 1, "--kl_coef"},
      {"entropy_collapse", "policy/entropy_avg", 0.1, 1, "--kl_coef"},
      {"length_collapse", "tokens/responses_len_mean", 1.5, 2, "--length_penalty"},
      {"length_explosion", "tokens/responses_len_mean", 52, 2, "--overlong_buffer"},
      {"repetition", "tokens/responses_repetition", 0.6, 2, "--kl_coef"},
      {"reward_flat", "objective/scores_std", 0, 2, "--temperature"},
      {"no_end", "tokens/responses_eos_share", 0.05, 3, "--response_length"},
      {"critic_behind", "val/explained_variance", -0.4, 10, "--critic_rate"},
      {"clip_fraction", "policy/clipfrac_avg", 0.5, 1, "--learning_rate"},
      {"value_loss", "loss/value_avg", 9, 1, "--score_clip"},
      {"early_stops", "early_stops", 1, 5, "--num_ppo_epochs"}};
  for (const Sick& sick : cases) {
    Alarms alarms(1000);
    int64_t update = 0;
    while (update < 6) alarms.check(++update, healthy());
    std::vector<Alarm> told;
    for (int i = 1; i <= sick.in_a_row; i++) {
      EXPECT_TRUE(told.empty()) << sick.kind << " too early";
      told = alarms.check(++update, with(sick.metric, sick.value));
    }
    ASSERT_EQ(told.size(), 1u) << sick.kind;
    EXPECT_EQ(told[0].kind, sick.kind);
    EXPECT_NE(told[0].line.find(sick.advice), std::string::npos) << told[0].line;
    EXPECT_EQ(told[0].line.find('\n'), std::string::npos);
    EXPECT_NE(told[0].line.find("update " + std::to_string(update) + ": "), std::string::npos);
    EXPECT_EQ(alarms.counts(), (std::map<std::string, int64_t>{{sick.kind, 1}}));
    EXPECT_TRUE(alarms.check(++update, healthy()).empty()) << sick.kind << " is over";
  }
}

TEST(Alarms, AreToldOnceInAWhileAndCountedAlways) {
  Alarms alarms(10);
  std::vector<int64_t> told;
  for (int64_t update = 1; update <= 25; update++) {
    if (!alarms.check(update, with("objective/kl", -3)).empty()) told.push_back(update);
  }
  EXPECT_EQ(told, (std::vector<int64_t>{1, 11, 21}));
  EXPECT_EQ(alarms.counts().at("kl_negative"), 25);
}

}  // namespace
}  // namespace rlhf
