// Agreement and reliability of annotators, against the packages that people compute them with:
// tests/python/agreement_oracle.py writes what is compared here.
#include "data/agreement.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/check.h"
#include "data/annotators.h"
#include "data/feedback_weights.h"
#include "tests/files.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

nlohmann::json oracle() { return test_data("agreement_oracle"); }

std::vector<Vote> votes_in(const nlohmann::json& list) {
  std::vector<Vote> votes;
  for (const auto& vote : list) {
    votes.push_back({vote[0].get<int32_t>(), vote[1].get<int32_t>(), vote[2].get<double>()});
  }
  return votes;
}

TEST(Agreement, EqualsThePackagesThatPeopleUse) {
  const nlohmann::json cases = oracle();
  for (const auto& expected : cases["alpha"]) {
    const std::vector<Vote> votes = votes_in(expected["votes"]);
    EXPECT_NEAR(krippendorff_alpha(votes, VoteLevel::nominal), expected["nominal"], 1e-12);
    EXPECT_NEAR(krippendorff_alpha(votes, VoteLevel::interval), expected["interval"], 1e-12);
    EXPECT_NEAR(cohen_kappa(votes, 0, 1), expected["kappa"], 1e-12);
  }
}

TEST(Agreement, IsAShareOfPairsOfVotes) {
  const std::vector<Vote> votes{{0, 0, 1}, {0, 1, 1}, {0, 2, 0}, {1, 0, 1}, {2, 0, 0}, {2, 1, 0}};
  EXPECT_DOUBLE_EQ(percent_agreement(votes), 2.0 / 4) << "1 of 3 pairs, nothing, 1 of 1";
  EXPECT_TRUE(std::isnan(percent_agreement(std::span(votes).subspan(2, 2))));
  EXPECT_TRUE(std::isnan(cohen_kappa(votes, 1, 7)));
  EXPECT_TRUE(std::isnan(krippendorff_alpha(std::span(votes).first(2), VoteLevel::nominal)))
      << "nothing varies";
}

TEST(Reliability, IsTheMaximumOfThePosterior) {
  const nlohmann::json expected = oracle()["reliability"];
  const auto people = annotator_reliability(votes_in(expected["votes"]), 5);
  for (size_t a = 0; a < people.size(); a++) {
    EXPECT_NEAR(people[a].reliability, expected["reliability"][a], 1e-5) << a;
    EXPECT_NEAR(people[a].weight, std::max(0.0, 2 * people[a].reliability - 1), 1e-15);
  }
}

TEST(Reliability, IsThePriorWithoutOverlap) {
  const auto people = annotator_reliability(std::vector<Vote>{{0, 0, 1}, {1, 1, 0}, {1, 2, 0}}, 4);
  EXPECT_EQ(people[0].reliability, 0.75);
  EXPECT_EQ(people[0].shared, 0);
  EXPECT_TRUE(std::isnan(people[0].agreement));
  EXPECT_EQ(people[3].votes, 0);
  EXPECT_GT(people[1].reliability, 0.75);
  EXPECT_EQ(people[1].agreement, 1);
}

Feedback label(const char* text, double value, const char* annotator, const char* source = "s") {
  return {{.kind = ItemKind::label,
           .first = text,
           .judgement = value > 0.5 ? "1" : "0",
           .source = source,
           .annotator = annotator},
          value};
}

TEST(FeedbackWeights, MultiplyAndHaveTheMeanOne) {
  std::vector<Feedback> rows{label("a", 1, "", "human"), label("b", 0, "", "model"),
                             label("c", 1, "", "model")};
  rows[2].weight = 3;
  const auto weights = feedback_weights(rows, {{"model", 0.5}}, nullptr);
  EXPECT_NEAR(weights[0], 1.0, 1e-12);
  EXPECT_NEAR(weights[1], 0.5, 1e-12);
  EXPECT_NEAR(weights[2], 1.5, 1e-12);
  EXPECT_EQ(message_of<InputError>([&] {
              feedback_weights(rows, {{"mdoel", 1}}, nullptr);
            }),
            "[--source_weights] expected sources among \"human\", \"model\", got \"mdoel\"");
  EXPECT_EQ(message_of<InputError>([&] {
              feedback_weights(rows, {{"model", 0}, {"human", 0}}, nullptr);
            }),
            "[weights] expected a row that counts, got weight 0 for all");
}

TEST(FeedbackWeights, CountNobodyAsAnAveragePerson) {
  std::vector<Feedback> rows;
  for (const char* text : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    rows.push_back(label(text, 1, "ann"));
    rows.push_back(label(text, 1, "bob"));
    rows.push_back(label(text, 0, "eve"));
  }
  rows.push_back(label("z", 1, ""));
  std::vector<Item> items;
  for (const Feedback& row : rows) items.push_back(row.item);
  const AnnotatorReport report = report_annotators(items);
  ASSERT_EQ(report.annotators.size(), 3u);
  EXPECT_EQ(report.annotators[2].name, "eve");
  EXPECT_EQ(report.annotators[2].weight, 0);
  EXPECT_EQ(report.annotators[2].agreement, 0);
  EXPECT_EQ(report.shared_items, 8);
  const auto weights = feedback_weights(rows, {}, &report);
  EXPECT_EQ(weights[2], 0);
  EXPECT_NEAR(weights[0], 1.5, 1e-9);
  EXPECT_NEAR(weights.back(), 1, 1e-9);
}

TEST(FeedbackWeights, NameWhatIsNoList) {
  EXPECT_EQ(parse_source_weights("human=1,a=b=0.5"),
            (std::map<std::string, double>{{"human", 1}, {"a=b", 0.5}}));
  for (const char* bad :
       {"human", "human=", "=1", "human=-1", "human=x", "human=nan", "human=1 "}) {
    EXPECT_NE(message_of<InputError>([&] { parse_source_weights(bad); }).find("[--source_weights]"),
              std::string::npos)
        << bad;
  }
}

}  // namespace
}  // namespace rlhf
