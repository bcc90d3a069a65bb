// What must hold alike of every algorithm that has neither a critic nor a file of preferences.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "core/allocator.h"
#include "rl/memory_plan.h"
#include "tests/checkpoint_helpers.h"
#include "tests/gpu.h"
#include "tests/group_policy_variants.h"

namespace rlhf {
namespace {

class GroupPolicy : public testing::TestWithParam<Variant> {
 protected:
  Trained run(const Settings& settings, Checkpoints checkpoints = {}) const {
    return GetParam().run(settings, std::move(checkpoints));
  }
};
INSTANTIATE_TEST_SUITE_P(Each, GroupPolicy, testing::ValuesIn(variants()),
                         [](const auto& info) { return info.param.name; });

TEST_P(GroupPolicy, AtLearningRateZeroTheRatioIsExactlyOne) {
  std::vector<float> first;
  for (const int threads : {1, 2}) {
    const WithThreads scope(threads);
    const Trained zero = run({.learning_rate = 0, .iterations = 2});
    ASSERT_EQ(zero.metrics.size(), 3u);
    for (const Figures& figures : zero.metrics) {
      EXPECT_EQ(figures.at("val/ratio"), 1);
      EXPECT_EQ(figures.at("val/first_logprob_difference"), 0);
      if (figures.contains("clip_ratio/region_mean")) {
        EXPECT_EQ(figures.at("clip_ratio/region_mean"), 0);
      }
      EXPECT_EQ(figures.at("objective/kl"), 0);
      EXPECT_GT(figures.at("grad_norm"), 0);
    }
    LanguageModel start{make_gpt2(tiny_config(12), 4)};
    EXPECT_EQ(zero.parameters, parameters_of(start));
  }
}

TEST_P(GroupPolicy, GroupsShareAPromptAndDifferInTheirResponses) {
  const Trained one = run({.updates = 2, .learning_rate = 0});
  std::set<Tokens> responses;
  for (const auto& episodes : one.episodes) {
    ASSERT_EQ(episodes.size(), 12u);
    for (size_t i = 0; i < episodes.size(); i++) {
      EXPECT_EQ(episodes[i].prompt, episodes[i - i % 4].prompt);
      responses.insert(episodes[i].response);
    }
  }
  EXPECT_GT(responses.size(), 20u) << "random numbers differ by generation and by update";
}

TEST_P(GroupPolicy, LearnsWhatIsLiked) {
  const Trained learnt = run({.updates = 40, .learning_rate = 5e-3, .mini_batches = 1});
  const auto liked = [&](size_t from, size_t to) {
    double sum = 0;
    for (size_t u = from; u < to; u++) sum += learnt.metrics[u].at("raw_reward");
    return sum / double(to - from);
  };
  EXPECT_GT(liked(35, 40), liked(0, 5) + 0.7);
}

TEST_P(GroupPolicy, ResumingChangesNoBit) {
  const SavedRun saved(2);
  const Settings settings{.updates = 4, .learning_rate = 2e-2, .iterations = 2};
  const Trained whole = run(settings, saved.whole());
  const Trained rest = run(settings, saved.after(2));
  EXPECT_EQ(rest.parameters, whole.parameters);
  EXPECT_EQ(rest.result.alarms, whole.result.alarms);
  expect_last(rest.metrics, whole.metrics, 2);
}

// By plain gradient descent: Adam's first step would make a sign of what is rounding.
TEST_P(GroupPolicy, MicroBatchesAddUpToOneStep) {
  const auto with = [&](int64_t batch) {
    return run({.updates = 1,
                .learning_rate = 0.1,
                .batch = batch,
                .optimizer = OptimizerKind::sgd})
        .parameters;
  };
  const std::vector<float> one = with(12), many = with(1);
  for (size_t i = 0; i < one.size(); i++) ASSERT_NEAR(one[i], many[i], 1e-6) << i;
}

TEST_P(GroupPolicy, IsTheSameOnAGpu) {
  RLHF_NEEDS_GPU();
  const Trained cpu = run({.updates = 1, .mini_batches = 1});
  const Trained gpu = run({.updates = 1, .mini_batches = 1, .placement = {.device = Device::cuda}});
  EXPECT_LT(gpu.metrics[0].at("sampling/sampling_logp_difference/max"), 1e-4);
  EXPECT_EQ(gpu.metrics[0].at("val/first_logprob_difference"), 0);
  for (const char* name : {"loss", "reward", "entropy", "grad_norm"}) {
    EXPECT_NEAR(gpu.metrics[0].at(name), cpu.metrics[0].at(name), 1e-3) << name;
  }
}

TEST(GroupPolicyOptions, DynamicSamplingDrawsFlatGroupsAgain) {
  // Only the first token of a prompt with an odd one is ever rewarded: other groups are flat.
  const ScoreFunction odd = [](std::span<const Episode> episodes) {
    std::vector<double> scores;
    for (const Episode& e : episodes) {
      scores.push_back(e.prompt[0] % 2 ? double(e.response[0]) : 0);
    }
    return scores;
  };
  const auto with = [&](int64_t rounds) {
    return variant("", grpo,
                   [=](GrpoConfig& c) {
                     c.dynamic_sampling = rounds;
                     c.scores.missing_eos = MissingEos::keep;
                   })
        .run({.updates = 2, .learning_rate = 0, .score = odd}, {});
  };
  const Trained kept = with(0), drawn = with(20);
  EXPECT_EQ(kept.result.episodes, 24);
  EXPECT_GT(drawn.result.episodes, 24) << "those thrown away count as sampled";
  EXPECT_GT(drawn.metrics[0].at("frac_reward_zero_std"), 0) << "logged as first drawn";
  for (const auto& episodes : drawn.episodes) {
    EXPECT_EQ(share_of_flat_groups(episodes, 4), 0);
  }
}

TEST(GroupPolicyOptions, AMovingAverageForgetsExponentially) {
  const auto run = variant("", reinforce, [](ReinforceConfig& c) {
                     c.beta = 0;
                     c.baseline_decay = 0.75f;
                   }).run({.updates = 3, .learning_rate = 0}, {});
  const auto reward = [&](size_t u) { return run.metrics[u].at("reward"); };
  EXPECT_NEAR(run.metrics[0].at("baseline"), reward(0), 1e-12) << "of its own update at first";
  EXPECT_NEAR(run.metrics[1].at("baseline"), reward(0), 1e-12);
  EXPECT_NEAR(run.metrics[2].at("baseline"), 0.75 * reward(0) + 0.25 * reward(1), 1e-12);
}

TEST(GroupPolicyOptions, ThatContradictEachOtherAreRefused) {
  GrpoConfig one;
  one.num_generations = 1;
  EXPECT_NE(message_of<InputError>([&] { validate(one); }).find("[--num_generations]"),
            std::string::npos);
  GrpoConfig uneven;
  uneven.num_generations = 5;
  EXPECT_NE(message_of<InputError>([&] { validate(uneven); }).find("divide the 64"),
            std::string::npos);
  ReinforceConfig stale;
  stale.num_iterations = 2;
  EXPECT_NE(message_of<InputError>([&] { validate(stale); }).find("[--num_iterations]"),
            std::string::npos);
  RlooConfig filtered;
  filtered.responses.top_p = 0.9f;
  EXPECT_NE(message_of<InputError>([&] { validate(filtered); }).find("[--top_p]"),
            std::string::npos);
}

// Its own figures come from a run: what the allocator saw at most.
TEST(MemoryPlan, IsNearWhatARunTakes) {
  const size_t before = Allocator::of(Device::cpu).statistics().live;
  Gpt2Config shape = tiny_config(64, 64);
  shape.n_embd = 96;
  shape.n_layer = 4;
  LanguageModel policy{make_gpt2(shape, 1)};
  const Gpt2 reference = frozen_copy(policy.transformer);
  GrpoConfig config;
  config.total_episodes = config.episodes_per_update = 32;
  config.per_device_train_batch_size = 32;
  config.responses.length = 48;
  const std::vector<Tokens> prompts{Tokens(8, 1)};
  grpo(policy, reference, prompts, count_liked, 63, config,
       [](int64_t, int64_t, const Metrics&, std::span<const Episode>) {});
  const double taken = double(Allocator::of(Device::cpu).statistics().peak - before);
  MemoryUse use;
  use.rollout_sequences = use.train_sequences = 32;
  use.positions = 56;
  use.add("policy", policy.transformer, /*trained=*/true);
  use.add("reference", reference);
  std::map<std::string, double> bytes;
  const MemoryPlan plan = memory_plan(use);
  for (const MemoryPlan::Item& item : plan.items) bytes[item.what] = item.bytes;
  // What is alive at a time, without the allocator's slack: the larger of the two that take turns.
  const double alive = bytes["policy"] + bytes["reference"] + bytes["gradients"] +
                       bytes["moments"] + std::max(bytes["rollout"], bytes["activations"]) / 1.25;
  EXPECT_GT(alive, 0.85 * taken) << plan.text() << " " << taken;
  EXPECT_LT(alive, 1.15 * taken) << plan.text() << " " << taken;
}

TEST(MemoryPlan, CountsOnceWhatAdaptersShare) {
  Gpt2 policy = make_gpt2(tiny_config(64, 64), 1);
  const double whole = 4.0 * double(parameter_count(policy));
  add_adapters(policy, {.r = 2}, 1);
  Gpt2 reference = reference_policy(policy);
  const double adapters = 4.0 * double(parameter_count(policy)) - whole;
  MemoryUse use;
  use.add("policy", policy, /*trained=*/true);
  use.add("reference", reference);
  std::map<std::string, double> bytes;
  for (const MemoryPlan::Item& item : memory_plan(use).items) bytes[item.what] = item.bytes;
  EXPECT_EQ(bytes["policy"], whole + adapters);
  EXPECT_EQ(bytes["reference"], 0);
  EXPECT_EQ(bytes["gradients"], adapters);
  EXPECT_EQ(bytes["moments"], 2 * adapters);
}

}  // namespace
}  // namespace rlhf
