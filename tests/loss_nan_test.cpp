// A loss of something that is not a number is not a number, on either device: what ends a run early
// (Trainer) must not be lost in a maximum on the way.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/ops.h"
#include "tests/gpu.h"

namespace rlhf {
namespace {

using Inputs = std::vector<Tensor>;

struct Loss {
  const char* name;
  std::vector<double> inputs;
  std::function<Tensor(const Inputs&)> of;
};

std::vector<Loss> losses() {
  std::vector<Loss> all;
  const std::pair<const char*, PreferenceLossKind> kinds[] = {
      {"sigmoid", PreferenceLossKind::sigmoid},
      {"hinge", PreferenceLossKind::hinge},
      {"ipo", PreferenceLossKind::ipo},
      {"robust", PreferenceLossKind::robust}};
  for (const auto& [name, kind] : kinds) {
    all.push_back({name, {-1, -2, -1.5, -1.5}, [kind = kind](const Inputs& x) {
                     return preference_loss(x[0], x[1], x[2], x[3], {.kind = kind});
                   }});
  }
  all.push_back({"odds", {-1, -2}, [](const Inputs& x) { return odds_ratio_loss(x[0], x[1]); }});
  all.push_back({"ppo", {-1, -1.1, 0.5}, [](const Inputs& x) {
                   return ppo_policy_loss(x[0], x[1], x[2], 0.2f, 3, 20, 0.3f);
                 }});
  all.push_back(
      {"pairwise", {1, 2}, [](const Inputs& x) { return pairwise_loss(x[0], x[1], {}, 0); }});
  for (const PointwiseKind kind : {PointwiseKind::mse, PointwiseKind::huber, PointwiseKind::bce}) {
    all.push_back({"pointwise", {1, 0.5}, [kind](const Inputs& x) {
                     return pointwise_loss(x[0], x[1], kind);
                   }});
  }
  for (const KlLossKind kind : {KlLossKind::k1, KlLossKind::k2, KlLossKind::k3}) {
    all.push_back(
        {"kl", {-1, -1.2}, [kind](const Inputs& x) { return kl_loss(x[0], x[1], kind); }});
  }
  return all;
}

void expect_not_a_number(Device device) {
  for (const Loss& loss : losses()) {
    for (size_t bad = 0; bad <= loss.inputs.size(); bad++) {
      Inputs inputs;
      for (size_t i = 0; i < loss.inputs.size(); i++) {
        const float value = i == bad ? NAN : float(loss.inputs[i]);
        inputs.push_back(Tensor::from(std::vector<float>{value}, {1}, device));
      }
      const double got = loss.of(inputs).item();
      EXPECT_EQ(std::isnan(got), bad < loss.inputs.size())
          << loss.name << " of " << bad << " " << got;
    }
  }
}

TEST(LossOfNoNumber, IsNoNumberOnTheCpu) { expect_not_a_number(Device::cpu); }

TEST(LossOfNoNumber, IsNoNumberOnAGpu) {
  RLHF_NEEDS_GPU();
  expect_not_a_number(Device::cuda);
}

}  // namespace
}  // namespace rlhf
