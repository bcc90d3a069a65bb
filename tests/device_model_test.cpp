// Whole models on a GPU beside the same models on the CPU: gradients, training, generation, PPO;
// and that a GPU repeats itself bit for bit, recorded or not.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/tape.h"
#include "nn/generate.h"
#include "rl/language_model.h"
#include "rl/pretrain.h"
#include "rl/reward/reward.h"
#include "tests/gpu.h"
#include "tests/model_helpers.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

const Placement on_cpu{}, on_gpu{Device::cuda, DType::f32}, on_gpu_bf16{Device::cuda, DType::bf16};

ScalarModel scalar_model(const Placement& placement) {
  ScalarModel model{make_gpt2(tiny_config(12), 3), {}};
  model.score = make_score_head(model.transformer, 3, /*zero=*/false);
  randomise(model, 5, 0.2);
  move_parameters(model, placement);
  return model;
}

std::vector<Example> examples() {
  std::vector<Example> list;
  for (const Tokens& tokens : random_sequences(5, 14, 12, 7)) {
    Tokens longer = tokens;
    longer.push_back(3);
    list.push_back({longer, std::vector<char>(longer.size(), 1)});
  }
  return list;
}

using Gradients = std::map<std::string, std::vector<float>>;

/// Of a language-model loss and a sum of rewards, through every parameter that there is.
Gradients gradients(const Placement& placement, bool packed, double* loss = nullptr) {
  ScalarModel model = scalar_model(placement);
  const ParameterArena arena(model);
  const auto list = examples();
  const std::vector<Tokens> sequences{{1, 2, 3}, {4, 5, 6, 7, 8}};
  {
    Tape tape;
    const TargetBatch batch = packed ? pack_examples(list, 16) : pad_examples(list);
    const Tensor rewards = reward_at_end(model, sequences);
    const Tensor weight = Tensor::from(std::vector<float>{1, -0.5f}, {2}, placement.device);
    const Tensor sum = add(language_model_loss(model.transformer, batch, 20, nullptr),
                           weighted_sum(rewards, weight));
    if (loss) *loss = sum.item();
    tape.backward(sum);
  }
  Gradients all;
  static_cast<void>(arena.gradients());
  for (const auto& entry : arena.entries()) {
    EXPECT_EQ(entry.tensor.grad().dtype(), DType::f32) << "of a parameter";
    all[entry.name] = entry.tensor.grad().to_vector<float>();
  }
  return all;
}

double relative_error(const std::vector<float>& got, const std::vector<float>& expected) {
  double error = 0, size = 0;
  for (size_t i = 0; i < got.size(); i++) {
    error += std::pow(double(got[i]) - double(expected[i]), 2);
    size += std::pow(double(expected[i]), 2);
  }
  return std::sqrt(error / size);
}

TEST(DeviceModel, GradientsAreThoseOfTheCpu) {
  RLHF_NEEDS_GPU();
  for (const bool packed : {false, true}) {
    double expected_loss = 0, loss = 0, rough_loss = 0;
    const Gradients expected = gradients(on_cpu, packed, &expected_loss);
    const Gradients got = gradients(on_gpu, packed, &loss);
    const Gradients rough = gradients(on_gpu_bf16, packed, &rough_loss);
    EXPECT_NEAR(loss, expected_loss, 1e-5 * std::abs(expected_loss));
    EXPECT_NEAR(rough_loss, expected_loss, 2e-2 * std::abs(expected_loss));
    for (const auto& [name, values] : expected) {
      EXPECT_LT(relative_error(got.at(name), values), 1e-4) << name;
      EXPECT_LT(relative_error(rough.at(name), values), 5e-2) << name;
    }
  }
}

/// Parameters after some steps of pretraining; `log` gets what was logged.
std::vector<float> pretrained(const Placement& placement, std::vector<double>* losses = nullptr) {
  Gpt2Config shape = tiny_config(12);
  shape.set_dropout(0.1f);
  Gpt2 model = make_gpt2(shape, 1);
  move_parameters(model, placement);
  Tokens stream;
  for (int i = 0; i < 200; i++) stream.push_back((i * i + 3 * i) % 12);
  const PretrainConfig config{
      .training = {.max_steps = 6, .batch_size = 3, .gradient_accumulation_steps = 2},
      .block_size = 8,
      .eval_steps = 6,
      .logging_steps = 1};
  pretrain(model, TokenStream(stream), TokenStream(Tokens(20, 3)), config,
           [&](int64_t, int64_t, const Metrics& metrics) {
             if (losses) losses->push_back(metrics.at(0).second);
           });
  return parameters_of(model);
}

TEST(DeviceModel, TrainingFollowsTheCpusAndRepeatsItself) {
  RLHF_NEEDS_GPU();
  std::vector<double> expected, got, rough;
  pretrained(on_cpu, &expected);
  const std::vector<float> first = pretrained(on_gpu, &got);
  EXPECT_EQ(pretrained(on_gpu), first) << "same seed, same bits";
  const std::vector<float> first_rough = pretrained(on_gpu_bf16, &rough);
  EXPECT_EQ(pretrained(on_gpu_bf16), first_rough);
  ASSERT_EQ(expected.size(), got.size());
  for (size_t i = 0; i < expected.size(); i++) {
    EXPECT_NEAR(got[i], expected[i], 1e-4 * expected[i]) << i;
    EXPECT_NEAR(rough[i], expected[i], 2e-2 * expected[i]) << i;
  }
}

TEST(DeviceModel, RecordedStepsHaveTheBitsOfStepsThatAreNot) {
  RLHF_NEEDS_GPU();
  for (const Placement& placement : {on_gpu, on_gpu_bf16}) {
    std::vector<float> parameters[2];
    for (const bool recorded : {false, true}) {
      Gpt2Config shape = tiny_config(12);
      shape.set_dropout(0.1f);
      Gpt2 model = make_gpt2(shape, 1);
      move_parameters(model, placement);
      Trainer trainer(model, {.max_steps = 5, .frozen = {"wpe"}});
      const auto inputs = [&](int64_t micro) {
        const auto list = examples();
        return loss_inputs(pad_examples(std::span(list).subspan(size_t(micro), 2)), 12, DType::f32);
      };
      Trainer::RecordedLoss loss(trainer, [&](const std::vector<Tensor>& in) {
        return language_model_loss(model, in, trainer.dropout_state());
      });
      for (int step = 0; step < 5; step++) {
        if (recorded) {
          trainer.step(2, loss, inputs);
        } else {
          trainer.step(2, [&](int64_t micro) {
            return language_model_loss(model, inputs(micro), trainer.dropout_state());
          });
        }
      }
      parameters[recorded] = parameters_of(model);
    }
    EXPECT_EQ(parameters[0], parameters[1]);
  }
}

/// Without masters the parameters alone remember the updates, most of which are smaller than half
/// of their last bit: rounding by chance must not lose them.
TEST(DeviceModel, LearnsWithoutMasters) {
  RLHF_NEEDS_GPU();
  double loss[2];
  for (const bool masters : {false, true}) {
    Gpt2 model = make_gpt2(tiny_config(12), 1);
    move_parameters(model, on_gpu_bf16);
    TrainingConfig config{.max_steps = 40};
    config.optimizer.masters = masters;
    config.schedule = {.kind = ScheduleKind::constant, .peak = 3e-3};
    Trainer trainer(model, config);
    for (int step = 0; step < 40; step++) {
      loss[masters] = trainer
                          .step(1,
                                [&](int64_t) {
                                  return language_model_loss(model, pad_examples(examples()), 70,
                                                             trainer.dropout_state());
                                })
                          .loss;
    }
  }
  EXPECT_LT(loss[true], 2.0) << "a task that can be learnt";
  EXPECT_NEAR(loss[false], loss[true], 0.1);
}

TEST(DeviceModel, GeneratesWhatTheCpuDoes) {
  RLHF_NEEDS_GPU();
  const std::vector<Tokens> prompts{{1, 2, 3}, {4}, {5, 6, 7, 8, 9}, {0, 1}};
  const auto generated = [&](const Placement& placement, const SamplingOptions& options) {
    Gpt2 model = scalar_model(placement).transformer;
    std::vector<Tokens> tokens;
    for (const Generated& g : generate(model, prompts, options)) tokens.push_back(g.tokens);
    return tokens;
  };
  // Sequences end at different times, so that batches shrink.
  for (const SamplingOptions& options :
       {SamplingOptions{.max_new_tokens = 10, .stop_tokens = {3, 7}},
        SamplingOptions{.max_new_tokens = 6, .temperature = 0, .repetition_penalty = 1.5f},
        SamplingOptions{.max_new_tokens = 6, .top_k = 4, .top_p = 0.9f, .seed = 3}}) {
    EXPECT_EQ(generated(on_gpu, options), generated(on_cpu, options));
    EXPECT_EQ(generated(on_gpu_bf16, options), generated(on_gpu_bf16, options));
  }
}

TEST(DeviceModel, PpoLearnsAndLogsHowFarSamplingAndTrainingAreApart) {
  RLHF_NEEDS_GPU();
  for (const Placement& placement : {on_gpu, on_gpu_bf16}) {
    ActorCritic model = tiny_actor(Critic::separate);
    move_parameters(model, placement);
    PpoConfig config = tiny_ppo(1, 1e-3);
    config.num_iterations = 1;
    const Recording recording = record_ppo(model, config);
    const Figures& figures = recording.metrics.at(0);
    const bool rough = placement.dtype == DType::bf16;
    EXPECT_LT(figures.at("sampling/sampling_logp_difference/max"), rough ? 0.2 : 1e-4);
    EXPECT_LT(figures.at("val/first_logprob_difference"), rough ? 0.2 : 1e-4);
    EXPECT_NEAR(figures.at("objective/kl"), 0, rough ? 0.5 : 1e-3);
  }
}

}  // namespace
}  // namespace rlhf
