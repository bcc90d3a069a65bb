// Each alarm on signs that deserve it, and none on those of a healthy run.
#include "rl/alarms.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rlhf {
namespace {

VitalSigns healthy() {
  return {.first_difference = 0,
          .kl = 2,
          .entropy = 2,
          .length = 20,
          .repetition = 0.05,
          .ended = 0.9,
          .score = 0.5,
          .score_deviation = 1,
          .flat_groups = 0.1,
          .clipped = 0.05,
          .explained_variance = 0.5,
          .value_loss = 0.1,
          .early_stops = 0};
}

AlarmWords words() {
  return {.kl_coef = "--kl_coef",
          .passes = "--num_ppo_epochs",
          .response_length = "--response_length",
          .of_ppo = true,
          .longest = 53};
}

VitalSigns with(double VitalSigns::*sign, double value) {
  VitalSigns signs = healthy();
  signs.*sign = value;
  return signs;
}

TEST(Alarms, AHealthyRunHasNone) {
  Alarms alarms(1, words());
  for (int64_t update = 1; update <= 30; update++) {
    EXPECT_TRUE(alarms.check(update, healthy()).empty());
  }
  EXPECT_TRUE(alarms.counts().empty());
}

struct Sick {
  const char* kind;
  double VitalSigns::*sign;
  double value;
  int in_a_row;        // updates until it is told
  const char* advice;  // a flag that the line must name
};

TEST(Alarms, EachNamesWhatIsSeenAndAFlagToTurn) {
  const std::vector<Sick> cases{
      {"ratio_not_one", &VitalSigns::first_difference, 0.3, 1, "defect"},
      {"kl_negative", &VitalSigns::kl, -2.5, 1, "--kl_estimator"},
      {"kl_exploding", &VitalSigns::kl, 80, 1, "--kl_coef"},
      {"entropy_collapse", &VitalSigns::entropy, 0.1, 1, "--kl_coef"},
      {"length_collapse", &VitalSigns::length, 1.5, 2, "--length_penalty"},
      {"length_explosion", &VitalSigns::length, 52, 2, "--overlong_buffer"},
      {"repetition", &VitalSigns::repetition, 0.6, 2, "--kl_coef"},
      {"reward_flat", &VitalSigns::score_deviation, 0, 2, "--temperature"},
      {"groups_flat", &VitalSigns::flat_groups, 0.95, 3, "--num_generations"},
      {"no_end", &VitalSigns::ended, 0.05, 3, "--response_length"},
      {"critic_behind", &VitalSigns::explained_variance, -0.4, 10, "--critic_rate"},
      {"critic_behind", &VitalSigns::explained_variance, 0, 10, "--critic_rate"},
      {"clip_fraction", &VitalSigns::clipped, 0.5, 1, "--learning_rate"},
      {"value_loss", &VitalSigns::value_loss, 9, 1, "--score_clip"},
      {"early_stops", &VitalSigns::early_stops, 1, 5, "--num_ppo_epochs"}};
  for (const Sick& sick : cases) {
    Alarms alarms(1000, words());
    int64_t update = 0;
    while (update < 6) alarms.check(++update, healthy());
    std::vector<Alarm> told;
    for (int i = 1; i <= sick.in_a_row; i++) {
      EXPECT_TRUE(told.empty()) << sick.kind << " too early";
      told = alarms.check(++update, with(sick.sign, sick.value));
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
  Alarms alarms(10, words());
  std::vector<int64_t> told;
  for (int64_t update = 1; update <= 25; update++) {
    if (!alarms.check(update, with(&VitalSigns::kl, -3)).empty()) told.push_back(update);
  }
  EXPECT_EQ(told, (std::vector<int64_t>{1, 11, 21}));
  EXPECT_EQ(alarms.counts().at("kl_negative"), 25);
}

TEST(Alarms, NothingIsSaidOfWhatWasNotMeasured) {
  Alarms alarms(1, words());
  for (int64_t update = 1; update <= 30; update++) {
    EXPECT_TRUE(alarms.check(update, VitalSigns{}).empty());
  }
}

// The limit may be less than twice what responses began with.
TEST(Alarms, AnExplosionOfLengthShowsAlsoWhereTheLimitIsNear) {
  Alarms alarms(1, words());
  for (int64_t update = 1; update <= 6; update++) {
    alarms.check(update, with(&VitalSigns::length, 40));
  }
  alarms.check(7, with(&VitalSigns::length, 53));
  EXPECT_EQ(alarms.check(8, with(&VitalSigns::length, 53)).at(0).kind, "length_explosion");
}

TEST(Alarms, AdviseWithTheFlagsOfTheCommandThatRuns) {
  Alarms alarms(1, {});
  const std::string kl = alarms.check(1, with(&VitalSigns::kl, 80)).at(0).line;
  EXPECT_NE(kl.find("raise --beta"), std::string::npos) << kl;
  EXPECT_EQ(kl.find("--target_kl"), std::string::npos) << kl;
  const std::string clip = alarms.check(2, with(&VitalSigns::clipped, 0.5)).at(0).line;
  EXPECT_NE(clip.find("--num_iterations"), std::string::npos) << clip;
  Alarms without(1, {.kl_coef = ""});
  const std::string far = without.check(1, with(&VitalSigns::kl, 80)).at(0).line;
  EXPECT_NE(far.find("knows; lower --learning_rate"), std::string::npos) << far;
}

}  // namespace
}  // namespace rlhf
