// Figures about votes, by hand, by exact arithmetic and against published examples.
#include "serve/store/statistics.h"

#include "serve/store/proportion.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

TEST(Proportion, AFairCoin) {  // values of exact fractions
  EXPECT_NEAR(fair_coin_p(3, 10), 0.34375, 1e-12);
  EXPECT_NEAR(fair_coin_p(7, 10), 0.34375, 1e-12);
  EXPECT_NEAR(fair_coin_p(5, 10), 1, 1e-12);
  EXPECT_NEAR(fair_coin_p(5, 11), 1, 1e-12);
  EXPECT_NEAR(fair_coin_p(0, 20), 1.9073486328125e-06, 1e-18);
  EXPECT_NEAR(fair_coin_p(60, 100), 0.05688793364098078, 1e-12);
  EXPECT_NEAR(fair_coin_p(5200, 10000), 6.593515598672442e-05, 1e-14);
  EXPECT_EQ(fair_coin_p(0, 0), 1);
}

TEST(Proportion, WilsonsInterval) {  // Newcombe 1998, table I, method 3
  const auto near = [](double successes, int64_t n, double low, double high) {
    const Interval found = wilson_interval(successes, n);
    EXPECT_NEAR(found.low, low, 5e-5);
    EXPECT_NEAR(found.high, high, 5e-5);
  };
  near(81, 263, 0.2553, 0.3662);
  near(15, 148, 0.0624, 0.1605);
  near(0, 20, 0, 0.1611);
  near(1, 29, 0.0061, 0.1718);
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

using Figures = StoreTest;

TEST_F(Figures, OnePersonsSpeedAndBias) {
  const int64_t anna = person("anna");
  for (int i = 0; i < 6; i++) comparison(prompt(std::to_string(i)), {"a", "b"});
  const int64_t times[] = {1000, 4000, 2000, 9000};
  for (int i = 0; i < 4; i++) {
    const Lease lease = lease_next(store(), anna).value();
    cast_vote(
        store(), anna,
        {.request_id = request(), .lease = lease.id, .place = i == 3, .milliseconds = times[i]});
  }
  choose(anna, Choice::skip);
  const PersonStatistics found = statistics(store()).people.at(0);
  EXPECT_EQ(found.person, anna);
  EXPECT_EQ(found.name, "anna");
  EXPECT_EQ(found.choices.better, 4);
  EXPECT_EQ(found.choices.skip, 1);
  EXPECT_EQ(found.choices.judged(), 4);
  EXPECT_EQ(found.median_seconds, 3.0);
  EXPECT_EQ(found.position.left, 3);
  EXPECT_EQ(found.position.right, 1);
  EXPECT_NEAR(found.position.p, 0.625, 1e-12);
  EXPECT_EQ(found.shared, 0);
  EXPECT_FALSE(found.agreement);
  EXPECT_EQ(person_counts(store(), anna).mine, 4);
  EXPECT_EQ(person_counts(store(), anna).today, 4);
  undo_vote(store(), anna, "u");  // the skip
  undo_vote(store(), anna, "u2");
  EXPECT_EQ(statistics(store()).choices.better, 3);
  EXPECT_EQ(statistics(store()).position.right, 0);
  time += int64_t{2} * 24 * 3600 * second;
  EXPECT_EQ(person_counts(store(), anna).today, 0);
  EXPECT_EQ(person_counts(store(), anna).mine, 3);
}

TEST_F(Figures, AgreementOfTwo) {
  const int64_t anna = person("anna"), ben = person("ben");
  // Both see the same ten: a table of (a a) 5, (b b) 2, (a b) 2, (tie tie) 1.
  for (int i = 0; i < 10; i++) comparison(prompt(std::to_string(i)), {"a", "b"}, 2);
  const int annas[] = {0, 0, 0, 0, 0, 1, 1, 0, 0}, bens[] = {0, 0, 0, 0, 0, 1, 1, 1, 1};
  for (int i = 0; i < 9; i++) prefer(anna, annas[i]);
  choose(anna, Choice::tie);
  for (int i = 0; i < 9; i++) prefer(ben, bens[i]);
  choose(ben, Choice::tie);
  const Agreement found = statistics(store()).agreement;
  EXPECT_EQ(found.comparisons, 10);
  EXPECT_NEAR(*found.percent, 0.8, 1e-12);
  // p_o = 0.8; p_e = 0.7 . 0.5 + 0.2 . 0.4 + 0.1 . 0.1 = 0.44
  EXPECT_NEAR(*found.kappa, 0.36 / 0.56, 1e-12);
  // alpha = 1 - (n - 1) sum of unequal coincidences / sum over pairs of n_c n_k
  // n = 20; n_a = 12, n_b = 6, n_tie = 2; unequal coincidences 4: 1 - 19 . 4 / (400 - 184)
  EXPECT_NEAR(*found.alpha, 1 - 19.0 * 4 / 216, 1e-12);
  const Statistics all = statistics(store());
  ASSERT_EQ(all.people.size(), 2u);
  EXPECT_EQ(all.people[0].shared, 10);
  EXPECT_NEAR(*all.people[0].agreement, 0.8, 1e-12);
  EXPECT_EQ(all.choices.tie, 2);
  EXPECT_EQ(all.position.left + all.position.right, 18);
  EXPECT_TRUE(all.candidates.empty());
}

TEST_F(Figures, WithoutSharedVotesThereIsNoAgreement) {
  const int64_t anna = person("anna");
  comparison(prompt("p"), {"a", "b"});
  prefer(anna, 0);
  const Agreement found = statistics(store()).agreement;
  EXPECT_EQ(found.comparisons, 0);
  EXPECT_FALSE(found.percent);
  EXPECT_FALSE(found.kappa);
  EXPECT_FALSE(found.alpha);
}

TEST_F(Figures, ACandidateAgainstWhatServes) {
  const int64_t anna = person("anna"), serving = version(), candidate = version();
  promote(store(), the_program, serving, "the start");
  for (int i = 0; i < 10; i++) {
    add_comparison(store(), {.prompt = prompt(std::to_string(i)),
                             .purpose = Purpose::promotion,
                             .candidate = candidate,
                             .wanted_votes = 1,
                             .answers = {{.text = "new", .version = candidate},
                                         {.text = "old", .version = serving}}});
  }
  for (int i = 0; i < 5; i++) prefer(anna, 0);
  prefer(anna, 1);
  choose(anna, Choice::tie);
  choose(anna, Choice::both_bad);
  choose(anna, Choice::skip);
  const CandidateResult found = candidate_result(store(), candidate);
  EXPECT_EQ(found.wins, 5);
  EXPECT_EQ(found.losses, 1);
  EXPECT_EQ(found.ties, 2);
  EXPECT_EQ(found.wanted, 10);
  EXPECT_EQ(found.win_rate, 0.75);
  EXPECT_EQ(found.low, wilson_interval(6, 8).low);
  EXPECT_EQ(found.high, wilson_interval(6, 8).high);
  EXPECT_EQ(statistics(store()).candidates.at(0).wins, 5);
  EXPECT_EQ(candidate_result(store(), serving).votes(), 0);
}

}  // namespace
}  // namespace rlhf::store
