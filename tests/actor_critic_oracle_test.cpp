// The loss of the actor-critic and its advantages: against torch's autograd
// (tests/python/actor_critic_oracle.py), and against finite differences in double.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/tape.h"
#include "nn/gpt2.h"
#include "rl/actor_critic_loss.h"
#include "rl/token_advantages.h"
#include "tests/files.h"

namespace rlhf {
namespace {

using nlohmann::json;

class ActorCriticOracle : public testing::Test {
 protected:
  ActorCriticOracle() {
    oracle = test_data("actor_critic_oracle");
    size_t at = 0;
    const auto part = [&](const char* name, size_t n) {
      const auto all = oracle[name].get<std::vector<float>>();
      return std::vector<float>(all.begin() + int64_t(at), all.begin() + int64_t(at + n));
    };
    for (const size_t n : oracle["lengths"]) {
      Episode e{.prompt = {1}, .response = Tokens(n, 2)};
      e.reward = part("rewards", n);
      e.value = part("values", n);
      e.log_prob = part("log_prob", n);
      episodes.push_back(std::move(e));
      at += n;
    }
  }

  template <class T>
  Tensor leaf(const char* name, const Shape& shape) const {
    Tensor tensor = Tensor::from(oracle[name].get<std::vector<T>>(), shape);
    tensor.set_requires_grad(true);
    return tensor;
  }
  int64_t V() const { return oracle["V"]; }
  int64_t C() const { return oracle["C"]; }
  int64_t N() const { return count_tokens(pointers(episodes)); }

  struct Leaves {
    Tensor hidden, head, value_head;
  };
  template <class T>
  Leaves leaves() const {
    return {leaf<T>("hidden", {N(), C()}), leaf<T>("head", {V(), C()}),
            leaf<T>("value_head", {1, C()})};
  }
  ActorCriticOutput output(const Leaves& x) const {
    const Tensor target = Tensor::from(oracle["target"].get<Tokens>(), {N()});
    const TokenLogProb p = token_log_prob(x.hidden, x.head, target, oracle["temperature"], true);
    return {p.log_prob, p.entropy, ScoreHead{x.value_head}(x.hidden)};
  }
  ActorCriticTargets targets(const json& run) {
    estimate_advantages(episodes, oracle["gamma"], run["lambda"], Device::cpu);
    return ActorCriticTargets::of(pointers(episodes), N());
  }
  static ActorCriticWeights weights(const json& run) {
    return {run["vf_coef"], run["entropy_coef"]};
  }

  json oracle;
  std::vector<Episode> episodes;
};

void expect_near(std::span<const float> actual, const json& wanted, double tolerance) {
  ASSERT_EQ(actual.size(), wanted.size());
  for (size_t i = 0; i < actual.size(); i++) {
    EXPECT_NEAR(actual[i], wanted[i].get<double>(), tolerance) << i;
  }
}

TEST_F(ActorCriticOracle, Advantages) {
  for (const json& run : oracle["cases"]) {
    const ActorCriticTargets wanted = targets(run);
    expect_near(wanted.advantage, run["advantages"], 1e-5);
    expect_near(wanted.returns, run["returns"], 1e-5);
  }
}

TEST_F(ActorCriticOracle, LossAndGradients) {
  for (const json& run : oracle["cases"]) {
    const Leaves x = leaves<float>();
    const ActorCriticTargets wanted = targets(run);
    Tape tape;
    const Tensor loss = actor_critic_loss(output(x), wanted, weights(run));
    tape.backward(loss);
    EXPECT_NEAR(loss.item(), run["loss"].get<double>(), 1e-5);
    expect_near(x.hidden.grad().to_vector<float>(), run["d_hidden"], 1e-5);
    expect_near(x.head.grad().to_vector<float>(), run["d_head"], 1e-5);
    expect_near(x.value_head.grad().to_vector<float>(), run["d_value_head"], 1e-5);
  }
}

TEST_F(ActorCriticOracle, GradientsAreFiniteDifferences) {
  const json& run = oracle["cases"][1];
  const ActorCriticTargets wanted = targets(run);
  const Leaves x = leaves<double>();
  {
    Tape tape;
    tape.backward(actor_critic_loss(output(x), wanted, weights(run)));
  }
  for (const Tensor& leaf : {x.hidden, x.head, x.value_head}) {
    const std::vector<double> gradient = leaf.grad().to_vector<double>();
    for (int64_t i = 0; i < leaf.count(); i += 5) {
      double& place = leaf.data<double>()[i];
      const double before = place, step = 1e-5;
      place = before + step;
      const double above = actor_critic_loss(output(x), wanted, weights(run)).item();
      place = before - step;
      const double below = actor_critic_loss(output(x), wanted, weights(run)).item();
      place = before;
      EXPECT_NEAR(gradient[size_t(i)], (above - below) / (2 * step), 1e-8) << i;
    }
  }
}

// Padding behind the actions of a slice changes nothing, and slices add up to the whole.
TEST_F(ActorCriticOracle, SlicesAddUp) {
  const json& run = oracle["cases"][2];
  targets(run);
  const auto list = pointers(episodes);
  const std::span<const Episode* const> all(list);
  const Leaves x = leaves<float>();
  const ActorCriticOutput whole = output(x);
  double sum = 0;
  int64_t at = 0;
  for (const auto& part : {all.first(1), all.subspan(1, 2), all.subspan(3)}) {
    const int64_t n = count_tokens(part);
    const auto of = [&](const Tensor& t) {  // one row of padding, but behind the last
      return t.view(at, {std::min(n + 1, N() - at)});
    };
    sum += actor_critic_loss({of(whole.log_prob), of(whole.entropy), of(whole.value)},
                             ActorCriticTargets::of(part, N()), weights(run))
               .item();
    at += n;
  }
  EXPECT_NEAR(sum, run["loss"].get<double>(), 1e-5);
}

TEST_F(ActorCriticOracle, OrderIsOfNoMatter) {
  const json& run = oracle["cases"][1];
  const ActorCriticTargets wanted = targets(run);
  const ActorCriticOutput now = output(leaves<float>());
  Tokens order(episodes.size() + 12);
  ASSERT_EQ(int64_t(order.size()), N());
  for (size_t i = 0; i < order.size(); i++) order[i] = int32_t((i * 5 + 3) % order.size());
  const auto picked = [&](const Tensor& t) {
    return gather(t.reshape({N(), 1}), Tensor::from(order, {N()})).reshape({N()});
  };
  const ActorCriticOutput shuffled{picked(now.log_prob), picked(now.entropy), picked(now.value)};
  EXPECT_NEAR(actor_critic_loss(shuffled, wanted.in_order(order), weights(run)).item(),
              run["loss"].get<double>(), 1e-5);
}

}  // namespace
}  // namespace rlhf
