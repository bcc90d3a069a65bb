// Adapters: they begin as nothing, they alone learn and cost memory, and a policy, its reference,
// its merged form and its recomputation agree with one another.
#include "nn/lora.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/allocator.h"
#include "rl/actor_critic.h"
#include "rl/language_model.h"
#include "rl/rollout.h"
#include "rl/trainer.h"
#include "tests/gpu.h"
#include "tests/model_helpers.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

const LoraConfig rank_4{.r = 4, .alpha = 8, .dropout = 0};

std::vector<float> logits(const Gpt2& model) {
  static const std::vector<Tokens> sequences{{1, 2, 3, 4}, {5}, {7, 7, 2, 9, 10, 1, 0}};
  const Tensor hidden = model(pad_right(sequences));
  return linear(hidden, model.head(), {}, /*transposed=*/true).to(DType::f32).to_vector<float>();
}

/// A model whose adapters matter, and training data.
Gpt2 adapted(double dropout = 0, Placement placement = {}) {
  Gpt2 model = make_gpt2(tiny_config(12), 3);
  LoraConfig config = rank_4;
  config.dropout = dropout;
  add_adapters(model, config, 5);
  randomise(model, 6, 0.2);
  move_parameters(model, placement);
  return model;
}

Tensor loss_of(const Gpt2& model, const StepState* training) {
  std::vector<Example> examples;
  for (Tokens tokens : random_sequences(6, 14, 12, 7)) {
    tokens.push_back(3);
    examples.push_back({tokens, std::vector<char>(tokens.size(), 1)});
  }
  return language_model_loss(model, pad_examples(examples), 40, training);
}

std::vector<float> trained(Gpt2& model, int64_t steps = 4) {
  Trainer trainer(model, {.max_steps = steps, .schedule = {.peak = 1e-2}});
  for (int64_t step = 0; step < steps; step++) {
    trainer.step(1, [&](int64_t) { return loss_of(model, trainer.dropout_state()); });
  }
  return parameters_of(model);
}

TEST(Lora, AFreshAdapterChangesNoBit) {
  Gpt2 model = make_gpt2(tiny_config(12), 3);
  const std::vector<float> before = logits(model);
  add_adapters(model, rank_4, 5);
  EXPECT_EQ(logits(model), before);
  const Lora &first = model.h[0].mlp.c_proj.lora, &second = model.h[1].mlp.c_proj.lora;
  EXPECT_EQ(first.a.shape(), (Shape{4, 64}));
  EXPECT_EQ(first.b.shape(), (Shape{16, 4}));
  EXPECT_EQ(first.scale, 2);
  EXPECT_NE(first.a.to_vector<float>(), second.a.to_vector<float>());
  double square = 0;
  for (const float a : first.a.to_vector<float>()) {
    EXPECT_LE(std::abs(a), 0.125f) << "1/sqrt(in)";
    square += double(a) * a;
  }
  EXPECT_NEAR(square / 256, 0.125 * 0.125 / 3, 1e-3) << "of a uniform distribution";
}

TEST(Lora, TargetsAreEndsOfNames) {
  const auto names = [](std::vector<std::string> targets) {
    std::vector<std::string> found;
    for_each_target({.target_modules = std::move(targets)}, 2, 16, "targets",
                    [&](const std::string& name, int64_t, int64_t) { found.push_back(name); });
    return found;
  };
  EXPECT_EQ(names({"c_proj"}).size(), 4u);
  EXPECT_EQ(names({"attn.c_proj"}),
            (std::vector<std::string>{"h.0.attn.c_proj", "h.1.attn.c_proj"}));
  EXPECT_EQ(names({"transformer.h.1.mlp.c_fc"}), std::vector<std::string>{"h.1.mlp.c_fc"});
  EXPECT_EQ(message_of<InputError>([&] {
              names({"c_attn", "proj"});
            }),
            "[targets] expected layers such as c_attn, c_proj, c_fc, got \"proj\"");
  const LoraConfig ranked{.r = 16, .alpha = 8, .use_rslora = true};
  EXPECT_EQ(ranked.scale(), 2);
}

TEST(Lora, AdaptersAloneLearnAndHaveMemory) {
  Gpt2 model = adapted();
  const Tensor base = model.h[0].attn.c_attn.weight, head = model.wte.weight;
  const auto before = base.to_vector<float>(), a = model.h[0].attn.c_attn.lora.a.to_vector<float>();
  ParameterArena arena(model,
                       [bases = FrozenBases(model)](auto& name) { return !bases.hold(name); });
  int64_t adapters = 0;
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    EXPECT_EQ(tensor.requires_grad(), FrozenBases::is_adapter(name)) << name;
    if (FrozenBases::is_adapter(name)) adapters += tensor.count();
  });
  EXPECT_EQ(arena.count(), adapters);
  EXPECT_EQ(model.h[0].attn.c_attn.weight.data<float>(), base.data<float>()) << "not moved";

  trained(model);
  EXPECT_EQ(base.to_vector<float>(), before);
  EXPECT_EQ(model.wte.weight.data<float>(), head.data<float>());
  EXPECT_NE(model.h[0].attn.c_attn.lora.a.to_vector<float>(), a);
}

/// Bytes that a trainer asks for: parameters again, gradients, two moments.
size_t trainer_bytes(Gpt2 model) {
  const Allocator& allocator = Allocator::of(Device::cpu);
  const size_t before = allocator.statistics().live;
  const Trainer trainer(model, {});
  return allocator.statistics().live - before;
}

TEST(Lora, WhatIsFrozenCostsNeitherGradientsNorMoments) {
  Gpt2Config shape = tiny_config(500, 64);
  shape.n_embd = 64;
  Gpt2 model = make_gpt2(shape, 1);
  const size_t parameters = size_t(parameter_count(model)) * sizeof(float);
  EXPECT_GE(trainer_bytes(model), 3 * parameters);
  add_adapters(model, {.r = 1, .target_modules = {"c_attn"}}, 1);
  const size_t adapters = 2 * (64 + 192) * sizeof(float);
  EXPECT_GE(trainer_bytes(model), 4 * adapters);
  EXPECT_LT(trainer_bytes(model), 5 * adapters + 4096);
}

TEST(Lora, ACriticWithoutAdaptersLearnsWholly) {
  ActorCritic model{{adapted()}, make_gpt2(tiny_config(12), 9), {}};
  model.value_head = make_score_head(*model.critic, 1, /*zero=*/false);
  const FrozenBases bases(model);
  EXPECT_TRUE(bases.hold("policy.transformer.h.0.ln_1.weight"));
  EXPECT_TRUE(bases.hold("policy.transformer.wte.weight"));
  EXPECT_FALSE(bases.hold("policy.transformer.h.0.attn.c_attn.lora_A.weight"));
  EXPECT_FALSE(bases.hold("critic.h.0.ln_1.weight"));
  EXPECT_FALSE(bases.hold("value_head.weight"));
}

TEST(Lora, SamplingAndTrainingAgreeBitForBit) {
  const Gpt2 model = adapted(0.5);
  const std::vector<Tokens> prompts{{1, 2}, {3}, {4, 5, 6}, {7, 8}};
  const auto episodes = sample_episodes(model, prompts, {.max_new_tokens = 10}, 3);
  std::vector<float> sampled;
  for (const Episode& e : episodes) {
    sampled.insert(sampled.end(), e.log_prob.begin(), e.log_prob.end());
  }
  EXPECT_EQ(response_log_probs(model, pointers(episodes), 1, 2), sampled);
}

TEST(Lora, MergedWeightsComputeTheSame) {
  Gpt2 model = adapted();
  const Gpt2 kept = model;
  Gpt2 base = make_gpt2(tiny_config(12), 3);
  const std::vector<float> expected = logits(model);
  merge_adapters(model);
  EXPECT_FALSE(model.lora.has_value());
  EXPECT_EQ(parameter_count(model), parameter_count(base));
  const std::vector<float> merged = logits(model);
  for (size_t i = 0; i < merged.size(); i++) EXPECT_NEAR(merged[i], expected[i], 1e-5) << i;
  EXPECT_EQ(logits(kept), expected) << "whoever shares the weights keeps them";
}

// Of a bfloat16 model the sum is rounded once, also where the weights' own rounding is known.
TEST(Lora, RoundedWeightsAreMergedInFloat) {
  const auto bfloat16 = [](const Tensor& x) { return x.to(DType::bf16).to(DType::f32); };
  for (const bool exact : {true, false}) {
    Gpt2 model = adapted();
    LanguageModel whole{model};
    Gpt2 expected = copy_of(model);
    if (!exact) {
      LanguageModel rounded{expected};
      for_each_parameter(rounded, [&](const std::string&, Tensor& x) { x = bfloat16(x); });
      expected = rounded.transformer;
    }
    merge_adapters(expected);
    move_parameters(whole, {.dtype = DType::bf16, .keeps_exact = exact});
    merge_adapters(whole.transformer);
    const Tensor& got = whole.transformer.h[0].attn.c_attn.weight;
    EXPECT_EQ(got.dtype(), DType::bf16);
    EXPECT_EQ(got.to(DType::f32).to_vector<float>(),
              bfloat16(expected.h[0].attn.c_attn.weight).to_vector<float>());
  }
}

TEST(Lora, TheReferenceSharesTheBaseAndStaysAsItIs) {
  Gpt2 policy = make_gpt2(tiny_config(12), 3);
  const std::vector<float> before = logits(policy);
  add_adapters(policy, rank_4, 5);
  const Gpt2 fresh = reference_policy(policy);
  EXPECT_FALSE(fresh.lora.has_value()) << "what changes nothing need not be computed";
  trained(policy);
  EXPECT_EQ(logits(fresh), before);
  const std::vector<float> after = logits(policy);
  EXPECT_NE(after, before);
  const Gpt2 later = reference_policy(policy);
  EXPECT_EQ(later.h[1].mlp.c_fc.weight.data<float>(), policy.h[1].mlp.c_fc.weight.data<float>());
  trained(policy);
  EXPECT_EQ(logits(later), after);
  EXPECT_NE(logits(policy), after);
}

TEST(Lora, RecomputationAndThreadsChangeNoBit) {
  Gpt2 plain = adapted(0.3), recomputed = adapted(0.3);
  recomputed.gradient_checkpointing = true;
  const std::vector<float> expected = trained(plain);
  EXPECT_EQ(trained(recomputed), expected);
  const WithThreads two(2);
  Gpt2 again = adapted(0.3);
  EXPECT_EQ(trained(again), expected);
}

TEST(Lora, AdaptersDropWhatTheyReadInTrainingAlone) {
  const Gpt2 model = adapted(0.5), without = adapted(0);
  const StepState state{.seed = 1, .draw = 1};
  EXPECT_EQ(logits(model), logits(without));
  EXPECT_EQ(loss_of(model, nullptr).item(), loss_of(without, nullptr).item());
  EXPECT_NE(loss_of(model, &state).item(), loss_of(without, &state).item());
}

TEST(Lora, AGpuFollowsTheCpu) {
  RLHF_NEEDS_GPU();
  const auto losses = [](Placement placement) {
    Gpt2 model = adapted(0.2, placement);
    std::vector<double> all;
    Trainer trainer(model, {.max_steps = 4, .schedule = {.peak = 1e-2}});
    for (int64_t step = 0; step < 4; step++) {
      const auto done =
          trainer.step(1, [&](int64_t) { return loss_of(model, trainer.dropout_state()); });
      all.push_back(done.loss);
    }
    merge_adapters(model);
    all.push_back(loss_of(model, nullptr).item());
    return all;
  };
  const std::vector<double> expected = losses({});
  const std::vector<double> got = losses({Device::cuda, DType::f32});
  const std::vector<double> rough = losses({Device::cuda, DType::bf16});
  for (size_t i = 0; i < expected.size(); i++) {
    EXPECT_NEAR(got[i], expected[i], 1e-4 * expected[i]) << i;
    EXPECT_NEAR(rough[i], expected[i], 2e-2 * expected[i]) << i;
  }
}

}  // namespace
}  // namespace rlhf
