// REINFORCE, RLOO, GRPO and online DPO as runs of a tiny model: what must hold of each alike.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "core/allocator.h"
#include "rl/grpo.h"
#include "rl/memory_plan.h"
#include "rl/online_dpo.h"
#include "rl/reinforce.h"
#include "rl/rloo.h"
#include "rl/run/checkpoint_folder.h"
#include "tests/gpu.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

/// What tests turn, the same for each algorithm.
struct Settings {
  int64_t updates = 3;
  double learning_rate = 1e-3;
  int64_t iterations = 1, mini_batches = 2, batch = 4;
  Placement placement = {};
  OptimizerKind optimizer = OptimizerKind::adamw;
  ScoreFunction score = count_liked;
};

struct Trained {
  PolicyResult result;
  std::vector<Figures> metrics;
  std::vector<std::vector<Episode>> episodes;
  std::vector<float> parameters;
};

void settle(PolicyConfig& config, const Settings& s) {
  config.episodes_per_update = 12;
  config.total_episodes = 12 * s.updates;
  config.num_generations = 4;
  config.num_iterations = s.iterations;
  config.num_mini_batches = s.mini_batches;
  config.per_device_train_batch_size = s.batch;
  config.responses.length = 8;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = s.learning_rate};
  config.training.optimizer.weight_decay = 0;
  config.training.optimizer.kind = s.optimizer;
}

template <class Config, class Train>
Trained run(Config config, const Train& train, const Settings& s, Checkpoints checkpoints) {
  settle(config, s);
  LanguageModel policy{make_gpt2(tiny_config(12), 4)};
  move_parameters(policy, s.placement);
  Trained out;
  out.result = train(
      policy, frozen_copy(policy.transformer), tiny_prompts(), s.score, kEos, config,
      [&](int64_t, int64_t, const Metrics& metrics, std::span<const Episode> episodes) {
        out.metrics.emplace_back(metrics.begin(), metrics.end());
        out.episodes.emplace_back(episodes.begin(), episodes.end());
      },
      std::move(checkpoints));
  out.parameters = parameters_of(policy);
  return out;
}

struct Variant {
  const char* name;
  std::function<Trained(const Settings&, Checkpoints)> run;
};

Variant of_grpo(const char* name, const std::function<void(GrpoConfig&)>& change) {
  return {name, [=](const Settings& s, Checkpoints checkpoints) {
            GrpoConfig config;
            change(config);
            return run(config, grpo, s, std::move(checkpoints));
          }};
}
Variant of_rloo(const char* name, const std::function<void(RlooConfig&)>& change) {
  return {name, [=](const Settings& s, Checkpoints checkpoints) {
            RlooConfig config;
            change(config);
            return run(config, rloo, s, std::move(checkpoints));
          }};
}
Variant of_reinforce(const char* name, const std::function<void(ReinforceConfig&)>& change) {
  return {name, [=](const Settings& s, Checkpoints checkpoints) {
            ReinforceConfig config;
            config.epsilon = 0.2f;
            change(config);
            return run(config, reinforce, s, std::move(checkpoints));
          }};
}

Variant of_online_dpo(const char* name, const PreferenceLossForm& loss) {
  return {name, [=](Settings s, Checkpoints checkpoints) {
            OnlineDpoConfig config;
            config.loss = loss;
            s.batch = std::max<int64_t>(s.batch, 2);  // a pair
            return run(config, online_dpo, s, std::move(checkpoints));
          }};
}

std::vector<Variant> variants() {
  return {
      of_grpo("Grpo", [](GrpoConfig&) {}),
      of_grpo("DrGrpo",
              [](GrpoConfig& c) {
                c.loss_reduction = LossReduction::sequence_sum;
                c.scale_rewards = ScaleRewards::none;
              }),
      of_grpo("Dapo",
              [](GrpoConfig& c) {
                c.loss_reduction = LossReduction::token_mean;
                c.epsilon_high = 0.28f;
                c.beta = 0;
                c.dynamic_sampling = 3;
                c.mask_truncated_completions = true;
                c.scores.overlong_buffer = 2;
              }),
      of_grpo("Gspo",
              [](GrpoConfig& c) { c.importance_sampling_level = ImportanceSampling::sequence; }),
      of_online_dpo("OnlineDpo", {}),
      of_online_dpo("OnlineIpo", {.kind = PreferenceLossKind::ipo, .beta = 0.4f}),
      of_rloo("Rloo", [](RlooConfig&) {}),
      of_rloo("RlooNormalised", [](RlooConfig& c) { c.normalize_advantages = true; }),
      of_reinforce("ReinforceAverage", [](ReinforceConfig&) {}),
      of_reinforce("ReinforceBatch", [](ReinforceConfig& c) { c.baseline = Baseline::batch_mean; }),
      of_reinforce("ReinforcePlusPlus",
                   [](ReinforceConfig& c) {
                     c.baseline = Baseline::none;
                     c.token_kl = true;
                     c.whiten_advantages = true;
                     c.loss_reduction = LossReduction::token_mean;
                   }),
      of_reinforce("ReinforcePlusPlusBaseline", [](ReinforceConfig& c) {
        c.baseline = Baseline::group_mean;
        c.beta = 0;
        c.kl_loss_coef = 0.1f;
        c.whiten_advantages = true;
      })};
}

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
  const fs::path folder =
      fs::temp_directory_path() / (std::string("rlhf_group_policy_") + GetParam().name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto checkpoints = [&](const fs::path& from) {
    return Checkpoints({.output_dir = folder,
                        .command = "grpo",
                        .save_steps = 2,
                        .resume_from = from,
                        .save_model = [](const fs::path&) {}});
  };
  const Settings settings{.updates = 4, .learning_rate = 2e-2, .iterations = 2};
  const Trained whole = run(settings, checkpoints({}));
  const Trained rest = run(settings, checkpoints(checkpoint_path(folder, 2)));
  ASSERT_EQ(rest.metrics.size(), 2u);
  EXPECT_EQ(rest.parameters, whole.parameters);
  EXPECT_EQ(rest.result.alarms, whole.result.alarms);
  for (size_t update = 0; update < 2; update++) {
    for (const auto& [name, value] : rest.metrics[update]) {
      if (name == "eps") continue;
      EXPECT_EQ(value, whole.metrics[update + 2].at(name)) << name;
    }
  }
  fs::remove_all(folder);
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
    return of_grpo("",
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
  const auto run = of_reinforce("", [](ReinforceConfig& c) {
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
  const MemoryPlan plan = memory_plan(use);
  EXPECT_GT(plan.total(), 0.85 * taken) << plan.text() << " " << taken;
  EXPECT_LT(plan.total(), 1.15 * taken) << plan.text() << " " << taken;
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
