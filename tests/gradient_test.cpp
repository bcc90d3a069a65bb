// Gradients of whole models against central differences in double: every parameter tensor of tiny
// models under each loss that trains them, with and without dropout.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/ops.h"
#include "core/tape.h"
#include "nn/init.h"
#include "nn/lora.h"
#include "rl/language_model.h"
#include "rl/ppo.h"
#include "rl/reward/reward.h"
#include "tests/model_helpers.h"

namespace rlhf {
namespace {

constexpr Gpt2Config tiny{.vocab_size = 11,
                          .n_positions = 12,
                          .n_embd = 8,
                          .n_layer = 2,
                          .n_head = 2,
                          .embd_pdrop = 0.2f,
                          .attn_pdrop = 0.3f,
                          .resid_pdrop = 0.1f};

const StepState dropout_state{.seed = 3, .step = 1, .draw = 7};

Gpt2 trunk(uint64_t seed) {
  Gpt2 model = empty_gpt2(tiny, DType::f64);
  randomise(model, seed, 0.4);
  return model;
}

ScoreHead head(const Gpt2& model) { return make_score_head(model, 9, /*zero=*/false); }

Tensor column(std::vector<double> values) { return Tensor::from(values, {int64_t(values.size())}); }

/// Compares d loss / d parameter with (loss(x + eps) - loss(x - eps)) / (2 eps) at a few random
/// coordinates of every parameter and at its steepest one.
template <class Module>
void check_gradients(Module& model, const std::function<Tensor()>& loss) {
  constexpr double eps = 1e-6;
  for_each_parameter(model, [](const std::string&, Tensor& t) { t.set_requires_grad(true); });
  {
    Tape tape;
    tape.backward(loss());
  }
  const double scale = std::max(1.0, std::abs(loss().item()));
  int tensors = 0;
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    tensors++;
    ASSERT_TRUE(tensor.has_grad()) << name;
    const auto gradient = tensor.grad().template to_vector<double>();
    size_t steepest = 0;
    for (size_t i = 0; i < gradient.size(); i++) {
      if (std::abs(gradient[i]) > std::abs(gradient[steepest])) steepest = i;
    }
    EXPECT_GT(std::abs(gradient[steepest]), 1e-4) << name << " hardly matters: a weak check";
    std::vector<size_t> coordinates{steepest};
    for (uint64_t i = 0; i < 5; i++) {
      const auto words = random_words(1, RandomStream::split, uint32_t(tensors), 0, i);
      coordinates.push_back(words[0] % gradient.size());
    }
    for (const size_t i : coordinates) {
      double& x = tensor.template data<double>()[i];
      const double before = x;
      x = before + eps;
      const double above = loss().item();
      x = before - eps;
      const double below = loss().item();
      x = before;
      // Rounding: a few last places of the loss over 2 eps.
      EXPECT_NEAR(gradient[i], (above - below) / (2 * eps),
                  1e-6 * std::abs(gradient[i]) + 4e-9 * scale)
          << name << "[" << i << "]";
    }
  });
  EXPECT_GE(tensors, 28);
}

std::vector<Example> examples() {
  std::vector<Example> list;
  for (const Tokens& tokens : random_sequences(4, 7, tiny.vocab_size, 5)) {
    Example example{tokens, std::vector<char>(tokens.size(), 1)};
    example.tokens.insert(example.tokens.begin(), 3);
    example.learn.insert(example.learn.begin(), 0);
    list.push_back(example);
  }
  list[0].tokens = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  list[0].learn = {0, 0, 1, 1, 0, 1, 1, 1, 1, 1};
  return list;
}

TEST(Gradient, ANormWithItsResidualHasTheBitsOfTwoOps) {
  constexpr int64_t rows = 5, C = 19;
  const auto run = [&](bool fused) {
    std::vector<Tensor> leaves;  // a, b, weight, bias
    for (const Shape& shape : {Shape{rows, C}, {rows, C}, {C}, {C}}) {
      leaves.push_back(Tensor::empty(shape, DType::f32));
      fill_normal(leaves.back(), 1, 7, std::string(1, char('a' + leaves.size())));
      leaves.back().set_requires_grad(true);
    }
    const Tensor &a = leaves[0], &b = leaves[1], &weight = leaves[2], &bias = leaves[3];
    Tape tape;
    NormedSum both;
    if (fused) {
      both = add_layer_norm(a, b, weight, bias, 1e-5f);
    } else {
      both.sum = add(a, b);
      both.normed = layer_norm(both.sum, weight, bias, 1e-5f);
    }
    const Tensor out = add(both.sum, gelu(both.normed));  // as a block goes on
    const Tensor d_out = Tensor::empty(out.shape(), DType::f32);
    fill_normal(d_out, 1, 8, "d_out");
    tape.backward(out, d_out);
    std::vector<std::vector<float>> bits{both.normed.to_vector<float>(), out.to_vector<float>()};
    for (const Tensor& leaf : leaves) bits.push_back(leaf.grad().to_vector<float>());
    return bits;
  };
  EXPECT_EQ(run(true), run(false));
}

TEST(Gradient, LanguageModel) {
  Gpt2 model = trunk(1);
  const auto list = examples();
  const TargetBatch padded = pad_examples(list), packed = pack_examples(list, 11);
  ASSERT_LT(packed.batch.B, padded.batch.B) << "rows with several documents are what is tested";
  for (const TargetBatch* batch : {&padded, &packed}) {
    for (const StepState* training : {static_cast<const StepState*>(nullptr), &dropout_state}) {
      for_each_parameter(model, [](const std::string&, Tensor& t) { t.set_requires_grad(false); });
      check_gradients(model, [&] { return language_model_loss(model, *batch, 20, training); });
    }
  }
}

TEST(Gradient, LowRankAdapters) {
  for (const double dropout : {0.0, 0.3}) {
    Gpt2 model = trunk(7);
    add_adapters(model, {.r = 3, .alpha = 5, .dropout = dropout, .use_rslora = true}, 1);
    randomise(model, 8, 0.4);
    const TargetBatch batch = pad_examples(examples());
    check_gradients(model, [&] { return language_model_loss(model, batch, 20, &dropout_state); });
  }
}

TEST(Gradient, DropoutIsAFunctionOfTheStepState) {
  const Gpt2 model = trunk(1);
  const TargetBatch batch = pad_examples(examples());
  const auto loss = [&](const StepState* state) {
    return language_model_loss(model, batch, 20, state).item();
  };
  StepState other = dropout_state;
  EXPECT_EQ(loss(&dropout_state), loss(&other));
  other.draw++;
  EXPECT_NE(loss(&dropout_state), loss(&other));
  EXPECT_NE(loss(&dropout_state), loss(nullptr));
}

TEST(Gradient, RewardModelPairwise) {
  Gpt2 model = trunk(2);
  ScalarModel scorer{model, head(model)};
  const auto sequences = random_sequences(6, 9, tiny.vocab_size, 6);
  const Tensor margin = column({0, 0.5, -0.25});
  const auto half = [](const Tensor& rewards, Tokens rows) {
    return gather(rewards.reshape({6, 1}), Tensor::from(rows, {3})).reshape({3});
  };
  for (const StepState* training : {static_cast<const StepState*>(nullptr), &dropout_state}) {
    for_each_parameter(scorer, [](const std::string&, Tensor& t) { t.set_requires_grad(false); });
    check_gradients(scorer, [&] {
      const Tensor rewards = reward_at_end(scorer, sequences, training);
      const Tensor losses =
          pairwise_loss(half(rewards, {0, 1, 2}), half(rewards, {3, 4, 5}), margin, 0.1f);
      return weighted_sum(losses, column({0.5, 0.3, 0.2}));
    });
  }
}

TEST(Gradient, RewardModelPointwise) {
  for (const PointwiseKind kind : {PointwiseKind::bce, PointwiseKind::mse, PointwiseKind::huber}) {
    Gpt2 model = trunk(3);
    ScalarModel scorer{model, head(model)};
    const auto sequences = random_sequences(4, 9, tiny.vocab_size, 8);
    check_gradients(scorer, [&] {
      const Tensor losses = pointwise_loss(reward_at_end(scorer, sequences, &dropout_state),
                                           column({1, 0, 0.25, 1}), kind);
      return weighted_sum(losses, column({0.4, 0.3, 0.2, 0.1}));
    });
  }
}

/// PPO's combined loss as rl/ppo.cpp forms it, with ratios and values on both sides of the clip.
Tensor ppo_loss(const ActorCritic& model, const ResponseBatch& batch, float clip = 0.2f) {
  const int64_t n = batch.count;
  const Tensor hidden = gather(model.policy.transformer(batch.batch), batch.row);
  const TokenLogProb p = token_log_prob(hidden, model.policy.head(), batch.target, 0.7f, true);
  const Tensor value =
      model.value_head(model.critic ? gather((*model.critic)(batch.batch), batch.row) : hidden);
  std::vector<double> old_log_prob, advantage, old_value, returns;
  for (int64_t i = 0; i < n; i++) {
    old_log_prob.push_back(-2.4 + 0.37 * double(i % 5));
    advantage.push_back(i % 3 == 0 ? -0.8 : 1.1);
    old_value.push_back(0.3 * double(i % 4) - 0.5);
    returns.push_back(0.25 * double(i % 7) - 0.7);
  }
  const Tensor weight = column(std::vector<double>(size_t(n), 1.0 / double(n)));
  const Tensor policy_loss =
      ppo_policy_loss(p.log_prob, column(old_log_prob), column(advantage), clip);
  const Tensor value_loss = ppo_value_loss(value, column(old_value), column(returns), clip);
  const Tensor sum = add(weighted_sum(policy_loss, weight), weighted_sum(value_loss, weight), 0.5f);
  return add(sum, weighted_sum(p.entropy, weight), -0.3f);
}

ResponseBatch responses() {
  static const std::vector<Episode> episodes{{.prompt = {1, 2}, .response = {3, 4, 5, 0}},
                                             {.prompt = {9}, .response = {8, 8}},
                                             {.prompt = {4, 4, 6, 10}, .response = {7, 1, 2}}};
  return response_batch(pointers(episodes));
}

TEST(Gradient, PpoWithAValueHeadOnThePolicy) {
  const Gpt2 policy = trunk(4);
  ActorCritic model{{policy}, std::nullopt, head(policy)};
  const ResponseBatch batch = responses();
  EXPECT_NE(ppo_loss(model, batch).item(), ppo_loss(model, batch, 1e6f).item()) << "none clipped";
  check_gradients(model, [&] { return ppo_loss(model, batch); });
}

TEST(Gradient, PpoWithACriticOfItsOwn) {
  const Gpt2 policy = trunk(5), critic = trunk(6);
  ActorCritic model{{policy}, critic, head(critic)};
  const ResponseBatch batch = responses();
  check_gradients(model, [&] { return ppo_loss(model, batch); });
}

}  // namespace
}  // namespace rlhf
