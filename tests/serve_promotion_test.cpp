// The test by which votes promote: its evidence against numbers by hand, and how often it is wrong.
#include "serve/promotion.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/philox.h"

namespace rlhf::serve {
namespace {

TEST(Promotion, EvidenceIsTheBetaMixture) {
  EXPECT_DOUBLE_EQ(evidence({}), 1);
  // B(k + 1, n - k + 1) 2^n = 2^n / ((n + 1) C(n, k)).
  EXPECT_NEAR(evidence({.wins = 1}), 2.0 / 2, 1e-12);
  EXPECT_NEAR(evidence({.wins = 5}), 32.0 / 6, 1e-12);
  EXPECT_NEAR(evidence({.wins = 3, .losses = 1}), 16.0 / (5 * 4), 1e-12);
  EXPECT_NEAR(evidence({.wins = 7, .losses = 1}), evidence({.wins = 1, .losses = 7}), 1e-12);
}

TEST(Promotion, TiesSayNothing) {
  EXPECT_EQ(evidence({.wins = 6, .losses = 2, .ties = 0}),
            evidence({.wins = 6, .losses = 2, .ties = 100}));
}

TEST(Promotion, DecidesForTheOneThatWins) {
  EXPECT_EQ(verdict({.wins = 7}), Verdict::undecided);  // 128 / 8 = 16
  EXPECT_EQ(verdict({.wins = 8}), Verdict::better);     // 256 / 9 = 28
  EXPECT_EQ(verdict({.losses = 8}), Verdict::worse);
  EXPECT_EQ(verdict({.wins = 40, .losses = 35}), Verdict::undecided);
}

/// How often a candidate of a win rate is decided on within 200 votes, looking after each.
double share_of(Verdict wanted, double win_rate) {
  constexpr int trials = 4000, votes = 200;
  int found = 0;
  for (int trial = 0; trial < trials; trial++) {
    Duel duel;
    for (int vote = 0; vote < votes && verdict(duel) == Verdict::undecided; vote++) {
      const PhiloxWords words = philox({uint32_t(vote), uint32_t(trial), 0, 0}, 7, 8);
      (unit_float(words[0]) < win_rate ? duel.wins : duel.losses)++;
    }
    found += verdict(duel) == wanted;
  }
  return double(found) / trials;
}

TEST(Promotion, EqualPoliciesAreSeldomTakenForDifferentThoughOneLooksAfterEveryVote) {
  // At most 5 % in all, by Ville's inequality; a test of 5 % at each look would reach about 40 %.
  EXPECT_LT(share_of(Verdict::better, 0.5) + share_of(Verdict::worse, 0.5), 0.05);
}

TEST(Promotion, ABetterPolicyIsFound) {
  EXPECT_GT(share_of(Verdict::better, 0.7), 0.95);
  EXPECT_EQ(share_of(Verdict::worse, 0.7), 0);
}

}  // namespace
}  // namespace rlhf::serve
