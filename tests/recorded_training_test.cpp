// Training steps that a GPU records and replays: the bits of steps that are launched kernel by
// kernel, few shapes, and padding that changes nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/tape.h"
#include "rl/ppo_loss.h"
#include "rl/reward/reward_batch.h"
#include "rl/reward_training.h"
#include "rl/sft.h"
#include "tests/gpu.h"
#include "tests/model_helpers.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

using Log = std::vector<Metrics>;

/// What a run leaves: its parameters and all that it logged.
struct Outcome {
  std::vector<float> parameters;
  Log log;
  bool operator==(const Outcome&) const = default;
  OnStep on_step() {
    return [this](int64_t, int64_t, const Metrics& metrics) { log.push_back(metrics); };
  }
};

const Placement on_gpu{Device::cuda, DType::f32}, on_gpu_bf16{Device::cuda, DType::bf16};

TrainingConfig training(bool recorded) {
  TrainingConfig config{.max_steps = 6, .batch_size = 3, .gradient_accumulation_steps = 2};
  config.cuda_graphs = recorded;
  return config;
}

Gpt2 dropping_model() {
  Gpt2Config shape = tiny_config(12);
  shape.set_dropout(0.1f);
  return make_gpt2(shape, 1);
}

/// Of two lengths once padded, some of whose tokens are not to be learnt.
std::vector<Example> examples(size_t count) {
  std::vector<Example> list;
  for (const Tokens& tokens : random_sequences(count, 20, 12, 7)) {
    Example example{tokens, std::vector<char>(tokens.size(), 0)};
    example.tokens.push_back(3);
    example.tokens.push_back(4);
    example.learn.resize(example.tokens.size(), 1);
    list.push_back(std::move(example));
  }
  return list;
}

Outcome fine_tuned(const Placement& placement, bool recorded, bool packing, bool checkpointing) {
  Gpt2 model = dropping_model();
  model.gradient_checkpointing = checkpointing;
  move_parameters(model, placement);
  SftConfig config;
  config.training = training(recorded);
  config.packing = packing;
  config.logging_steps = 1;
  Outcome out;
  sft(model, {.train = examples(14)}, config, out.on_step());
  out.parameters = parameters_of(model);
  return out;
}

TEST(RecordedTraining, FineTuningHasTheBitsOfStepsThatAreNot) {
  RLHF_NEEDS_GPU();
  for (const Placement& placement : {on_gpu, on_gpu_bf16}) {
    EXPECT_EQ(fine_tuned(placement, true, false, false),
              fine_tuned(placement, false, false, false));
  }
  EXPECT_EQ(fine_tuned(on_gpu, true, true, true), fine_tuned(on_gpu, false, true, true));
}

/// Feedback of every kind, in turns.
RewardData mixture(size_t count) {
  RewardData data;
  const std::vector<Tokens> texts = random_sequences(2 * count, 20, 12, 3);
  for (size_t i = 0; i < count; i++) {
    RewardExample example{.loss = RewardLoss(i * i % 3), .first = texts[2 * i]};
    if (example.loss == RewardLoss::pairwise) example.second = texts[2 * i + 1];
    example.value = double(i % 2);
    example.weight = 1 + 0.5 * double(i % 4);
    data.examples.push_back(std::move(example));
  }
  return data;
}

ScalarModel scalar_model() {
  ScalarModel model{dropping_model(), {}};
  model.score = make_score_head(model.transformer, 3, /*zero=*/false);
  return model;
}

TEST(RecordedTraining, RewardModelsHaveTheBitsOfStepsThatAreNot) {
  RLHF_NEEDS_GPU();
  Outcome outcomes[2];
  for (const bool recorded : {false, true}) {
    ScalarModel model = scalar_model();
    move_parameters(model, on_gpu);
    RewardConfig config{.training = training(recorded), .center_rewards_coefficient = 0.01f};
    config.training.max_steps = 12;  // for shapes to come again
    config.logging_steps = 1;
    Outcome& out = outcomes[recorded];
    train_reward(model, mixture(14), mixture(5), config, out.on_step());
    out.parameters = parameters_of(model);
  }
  EXPECT_EQ(outcomes[0], outcomes[1]);
}

/// With a critic that warms up, text mixed in, a term for the KL divergence and a bound on it.
Recording optimised(const Placement& placement, Critic critic, bool recorded) {
  ActorCritic model = tiny_actor(critic);
  move_parameters(model, placement);
  PpoConfig config = tiny_ppo(3, 1e-2);
  config.training.cuda_graphs = recorded;
  config.critic_warmup_updates = 1;
  config.kl_loss_coef = 0.1f;
  config.entropy_coef = 0.01f;
  config.target_kl = 0.05;
  config.ptx_coef = 0.5f;
  config.ptx_batch_size = 2;
  return run_tiny(model, config, examples(5));
}

TEST(RecordedTraining, PpoHasTheBitsOfStepsThatAreNot) {
  RLHF_NEEDS_GPU();
  for (const auto& [placement, critic] :
       {std::pair{on_gpu, Critic::separate}, {on_gpu_bf16, Critic::head}}) {
    const Recording recorded = optimised(placement, critic, true);
    const Recording eager = optimised(placement, critic, false);
    EXPECT_EQ(recorded.parameters, eager.parameters);
    ASSERT_EQ(recorded.metrics.size(), eager.metrics.size());
    for (size_t update = 0; update < eager.metrics.size(); update++) {
      for (const auto& [name, value] : eager.metrics[update]) {
        if (name == "eps") continue;  // a time
        EXPECT_EQ(recorded.metrics[update].at(name), value) << name;
      }
    }
    EXPECT_EQ(eager.metrics.back().at("policy/early_stopped"), 1) << "the bound is reached";
  }
}

TEST(RecordedTraining, FewShapesExistWhateverTheLengths) {
  RLHF_NEEDS_GPU();
  Gpt2 model = dropping_model();
  move_parameters(model, on_gpu);
  Trainer trainer(model, training(true));
  int through_the_host = 0;
  Trainer::RecordedLoss loss(trainer, [&](const std::vector<Tensor>& inputs) {
    through_the_host++;
    return language_model_loss(model, inputs, trainer.dropout_state());
  });
  const std::vector<Example> all = examples(60);
  const Padding padding = Padding::on(Device::cuda, 4, model.config.n_positions);
  int passes = 0;
  for (size_t first = 0; first + 4 <= all.size(); first += 4) {
    trainer.step(2, loss, [&](int64_t micro) {
      passes++;
      const auto part = std::span(all).subspan(first, micro == 0 ? 4 : 1 + first % 3);
      return loss_inputs(pad_examples(part, padding), 40, DType::f32);
    });
  }
  EXPECT_EQ(passes, 30);
  EXPECT_LE(trainer.recorded_kinds(), 8u) << "two lengths of a first, 1 to 3 rows of a later batch";
  EXPECT_LE(through_the_host, 2 * 8 + 2) << "and again what came before the largest";
}

/// A loss and every parameter's gradient under it, one after another.
template <class Model>
std::vector<double> loss_and_gradients(Model& model, const std::function<Tensor()>& loss) {
  const ParameterArena arena(model);
  std::vector<double> all;
  {
    Tape tape;
    const Tensor sum = loss();
    tape.backward(sum);
    all.push_back(sum.item());
  }
  for (const float d : arena.gradients().to_vector<float>()) all.push_back(d);
  return all;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  double largest = 0;
  for (const double x : expected) largest = std::max(largest, std::abs(x));
  for (size_t i = 0; i < expected.size(); i++) {
    ASSERT_NEAR(got[i], expected[i], 1e-6 * largest) << "element " << i;
  }
}

constexpr Padding kPadding{.rows = 8, .length = 24};

TEST(RecordedTraining, PaddingChangesNoLanguageModelLoss) {
  const std::vector<Example> list = examples(5);
  const auto of = [&](const TargetBatch& batch) {
    Gpt2 model = make_gpt2(tiny_config(12), 1);
    return loss_and_gradients(model,
                              [&] { return language_model_loss(model, batch, 11, nullptr); });
  };
  const TargetBatch padded = pad_examples(list, kPadding);
  EXPECT_EQ(padded.batch.token.shape(), (Shape{6, 24}));
  expect_near(of(padded), of(pad_examples(list)));
  expect_near(of(pack_examples(list, 22, kPadding)), of(pack_examples(list, 22)));
}

TEST(RecordedTraining, PaddingChangesNoRewardLoss) {
  const RewardData data = mixture(5);
  const std::vector<int64_t> picked{0, 1, 2, 3};
  const auto of = [&](const RewardPadding& padding) {
    ScalarModel model = scalar_model();
    const auto inputs = reward_inputs(data, picked, 4, DType::f32, padding);
    return loss_and_gradients(model, [&] { return reward_loss(model, inputs, 0.01f, nullptr); });
  };
  expect_near(of({.sequences = kPadding, .examples = 6, .kinds = {true, true, true}}), of({}));
}

TEST(RecordedTraining, PaddingChangesNoPpoLoss) {
  std::vector<Episode> episodes;
  for (const Tokens& tokens : random_sequences(5, 12, 12, 5)) {
    Episode& e = episodes.emplace_back();
    e.prompt = {1, 2, 3};
    e.response = tokens;
    for (size_t t = 0; t < tokens.size(); t++) {
      const auto x = float(t);
      e.log_prob.push_back(-2 - 0.1f * x);
      e.ref_log_prob.push_back(-2.2f + 0.05f * x);
      e.value.push_back(0.1f * x);
      e.advantage.push_back(std::sin(x + float(tokens.size())));
      e.returns.push_back(1 - 0.1f * x);
    }
  }
  const auto list = pointers(episodes);
  PpoConfig config = tiny_ppo(1, 0);
  config.kl_loss_coef = 0.1f;
  config.entropy_coef = 0.01f;
  for (const bool critic_only : {false, true}) {
    std::vector<double> expected;
    for (const Padding& padding : {Padding{}, kPadding}) {
      MiniBatch whole{.episodes = 5, .tokens = count_tokens(list)};
      PpoStatistics total;
      ActorCritic model = tiny_actor(Critic::separate);
      const auto inputs = ppo_inputs(list, whole, config, critic_only, padding);
      std::vector<double> got = loss_and_gradients(model, [&] {
        const Trainer::LossTensors result = ppo_loss(model, inputs, config, critic_only);
        add_seen(result.seen[0], list, config, whole, total);
        return result.loss;
      });
      for (const double x : {whole.seen, whole.ratio, whole.approx_kl, total.policy_loss,
                             total.value_loss, total.entropy, total.kl_loss, total.tokens}) {
        got.push_back(x);
      }
      if (expected.empty()) expected = got;
      expect_near(got, expected);
    }
  }
}

}  // namespace
}  // namespace rlhf
