// The KL estimators against expectations in closed form, and the controller against the numbers of
// OpenAI's lm-human-preferences (Ziegler et al. 2019).
#include "rl/kl.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace rlhf {
namespace {

/// E_p[k(log p - log q)] over a categorical distribution.
double expectation(KlEstimator estimator, const std::vector<double>& p,
                   const std::vector<double>& q) {
  double sum = 0;
  for (size_t i = 0; i < p.size(); i++) {
    sum += p[i] * kl_estimate(estimator, std::log(p[i]) - std::log(q[i]));
  }
  return sum;
}

const std::vector<double> p{0.5, 0.2, 0.2, 0.1}, q{0.25, 0.25, 0.1, 0.4};
// 0.5 log 2 + 0.2 log 0.8 + 0.2 log 2 + 0.1 log 0.25, by hand in logarithms of 2 and 5.
const double log2_ = 0.69314718055994531, log5_ = 1.6094379124341003;
const double kl_p_q = 0.7 * log2_ + 0.2 * (2 * log2_ - log5_) - 0.2 * log2_;

TEST(KlEstimate, FirstAndThirdAreUnbiased) {
  EXPECT_NEAR(expectation(KlEstimator::k1, p, q), kl_p_q, 1e-15);
  EXPECT_NEAR(expectation(KlEstimator::k3, p, q), kl_p_q, 1e-15);
}

TEST(KlEstimate, SecondIsHalfTheMeanSquareAndCloseForCloseDistributions) {
  const double l2 = log2_ * log2_, l08 = (2 * log2_ - log5_) * (2 * log2_ - log5_);
  EXPECT_NEAR(expectation(KlEstimator::k2, p, q), 0.5 * (0.7 * l2 + 0.2 * l08 + 0.1 * 4 * l2),
              1e-15);
  std::vector<double> near = p;
  near[0] += 0.01;
  near[1] -= 0.01;
  const double exact = expectation(KlEstimator::k1, p, near);
  EXPECT_NEAR(expectation(KlEstimator::k2, p, near), exact, 0.02 * exact);
}

TEST(KlEstimate, OfOneSample) {
  EXPECT_EQ(kl_estimate(KlEstimator::k1, -0.5), -0.5);
  EXPECT_EQ(kl_estimate(KlEstimator::k2, -0.5), 0.125);
  EXPECT_NEAR(kl_estimate(KlEstimator::k3, -0.5), std::exp(0.5) - 1 - 0.5, 1e-15);
  for (const double d : {-3.0, -1e-9, 0.0, 1e-9, 3.0}) {
    EXPECT_GE(kl_estimate(KlEstimator::k3, d), 0) << d;
    EXPECT_EQ(kl_estimate(KlEstimator::k1, d), d);
  }
}

TEST(KlEstimate, BoundsHoldTheLogRatioFirstAndThenTheEstimate) {
  const KlBounds bounds{.log_ratio = 2, .estimate = 1.5};
  EXPECT_EQ(kl_estimate(KlEstimator::k1, -9, bounds), -1.5);
  EXPECT_EQ(kl_estimate(KlEstimator::k1, 1, bounds), 1);
  EXPECT_EQ(kl_estimate(KlEstimator::k2, 9, {.log_ratio = 2}), 2);
  EXPECT_NEAR(kl_estimate(KlEstimator::k3, -9, {.log_ratio = 2}), std::exp(2) - 1 - 2, 1e-12);
  EXPECT_EQ(kl_estimate(KlEstimator::abs, -0.5), 0.5);
}

KlController openai() { return {.coefficient = 0.15, .target = 6, .horizon = 10000}; }

TEST(KlController, MovesByAtMostAFifthOfTheShareOfTheHorizon) {
  for (const auto& [kl, factor] :
       {std::pair{0.0, 0.98976}, std::pair{1e9, 1.01024}, std::pair{6.0, 1.0},
        std::pair{6.6, 1 + 0.1 * 512 / 10000}, std::pair{-5.0, 0.98976}}) {
    KlController controller = openai();
    controller.update(kl, 512);
    EXPECT_NEAR(controller.coefficient / 0.15, factor, 1e-12) << kl;
  }
}

TEST(KlController, FallsFromPointFifteenAsOpenAisDid) {
  KlController controller = openai();
  for (int update = 0; update < 26; update++) controller.update(0, 512);
  EXPECT_NEAR(controller.coefficient, 0.115, 0.0005);
}

TEST(KlController, WithoutATargetIsFixed) {
  KlController controller{.coefficient = 0.05};
  controller.update(100, 512);
  EXPECT_EQ(controller.coefficient, 0.05);
}

TEST(KlController, SettlesWhereTheKlMeetsTheTarget) {
  // A policy whose KL is inverse to the coefficient: the fixed point is 0.6 / 6.
  KlController controller = openai();
  for (int update = 0; update < 2000; update++) controller.update(0.6 / controller.coefficient, 64);
  EXPECT_NEAR(controller.coefficient, 0.1, 1e-4);
}

}  // namespace
}  // namespace rlhf
