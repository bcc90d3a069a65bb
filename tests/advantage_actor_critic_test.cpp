// The actor-critic as runs of a tiny model: what learns and what does not, that it learns, and that
// neither threads nor stopping change a bit.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

#include "rl/advantage_actor_critic.h"
#include "rl/frozen.h"
#include "rl/memory_plan.h"
#include "rl/run/checkpoint_folder.h"
#include "rl/trunk_states.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

/// What becomes of the trunk under the two heads.
enum class Trunk { held, learns, adapted };

struct Trained {
  std::vector<Figures> metrics;
  std::vector<float> parameters;
  ActorCritic model;
};

AdvantageActorCriticConfig tiny_actor_critic(int64_t updates, Trunk trunk) {
  AdvantageActorCriticConfig config;
  config.episodes_per_update = 12;
  config.total_episodes = 12 * updates;
  config.per_device_train_batch_size = 5;
  config.responses.length = 8;
  config.train_trunk = trunk != Trunk::held;
  config.beta = 0.02f;
  config.entropy_coef = 0.01f;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = 1e-2};
  config.training.optimizer.weight_decay = 0;
  return config;
}

LanguageModel tiny_policy(Trunk trunk = Trunk::held) {
  LanguageModel policy{make_gpt2(tiny_config(12), 4)};
  if (trunk == Trunk::adapted) add_adapters(policy.transformer, {.r = 4, .alpha = 8}, 5);
  return policy;
}

Trained train(const AdvantageActorCriticConfig& config, Checkpoints checkpoints = {},
              Trunk trunk = Trunk::held) {
  const LanguageModel policy = tiny_policy(trunk);
  Trained out{.metrics = {}, .parameters = {}, .model = with_separate_heads(policy)};
  advantage_actor_critic(
      out.model, reference_policy(policy.transformer), tiny_prompts(), count_liked, kEos, config,
      [&](int64_t, int64_t, const Metrics& metrics, std::span<const Episode>) {
        out.metrics.emplace_back(metrics.begin(), metrics.end());
      },
      std::move(checkpoints));
  out.parameters = parameters_of(out.model);
  return out;
}

class AdvantageActorCriticRun : public testing::TestWithParam<Trunk> {
 protected:
  static Trained train(const AdvantageActorCriticConfig& config, Checkpoints checkpoints = {}) {
    return rlhf::train(config, std::move(checkpoints), GetParam());
  }
};
INSTANTIATE_TEST_SUITE_P(Trunk, AdvantageActorCriticRun,
                         testing::Values(Trunk::held, Trunk::learns, Trunk::adapted),
                         [](const auto& info) {
                           if (info.param == Trunk::held) return "Held";
                           return info.param == Trunk::learns ? "Learns" : "Adapted";
                         });

TEST_P(AdvantageActorCriticRun, LearnsWhatIsLiked) {
  AdvantageActorCriticConfig config = tiny_actor_critic(60, GetParam());
  // In so few updates the critic cannot carry a score at the end back to the first token.
  config.lambda = 0.95f;
  const Trained run = train(config);
  const auto mean = [&](size_t from) {
    double sum = 0;
    for (size_t i = from; i < from + 5; i++) sum += run.metrics[i].at("objective/scores") / 5;
    return sum;
  };
  EXPECT_GT(mean(55), mean(0) + 1);
  EXPECT_GT(run.metrics.back().at("objective/kl"), 0.5) << "it must have moved";
}

TEST_P(AdvantageActorCriticRun, SamplingAndTrainingAgreeToTheBit) {
  for (const Figures& figures : train(tiny_actor_critic(4, GetParam())).metrics) {
    EXPECT_EQ(figures.at("val/first_logprob_difference"), 0);
  }
}

TEST_P(AdvantageActorCriticRun, TheHeadsLearnAndTheTrunkIfItMay) {
  Trained run = train(tiny_actor_critic(3, GetParam()));
  ActorCritic before = with_separate_heads(tiny_policy(GetParam()));
  const std::vector<NamedTensor> old = state_dict(before);
  size_t i = 0;
  for (const NamedTensor& entry : state_dict(run.model)) {
    const bool learns = entry.name == "policy.transformer.lm_head.weight" ||
                        entry.name == "value_head.weight" || GetParam() == Trunk::learns ||
                        FrozenBases::is_adapter(entry.name);
    ASSERT_EQ(entry.name, old[i].name);
    const bool moved = entry.tensor.to_vector<float>() != old[i++].tensor.to_vector<float>();
    EXPECT_EQ(moved, learns) << entry.name;
  }
}

// The reference is the base, whose memory the policy shares but for what it learns.
TEST(AdvantageActorCritic, TheBaseAndItsReferenceStayAsTheyAre) {
  for (const bool own_head : {false, true}) {
    LanguageModel policy = tiny_policy(Trunk::adapted);
    if (own_head) policy.transformer.untie();
    LanguageModel reference{reference_policy(policy.transformer)};
    const std::vector<float> before = parameters_of(reference);
    ActorCritic model = with_separate_heads(policy);
    EXPECT_EQ(model.policy.transformer.wte.weight.data<float>(),
              reference.transformer.wte.weight.data<float>());
    advantage_actor_critic(model, reference.transformer, tiny_prompts(), count_liked, kEos,
                           tiny_actor_critic(2, Trunk::adapted), [](auto&&...) {});
    EXPECT_EQ(parameters_of(reference), before);
    EXPECT_NE(model.policy.transformer.head().to_vector<float>(),
              reference.transformer.head().to_vector<float>());
  }
}

// A head that the policy has and that is named as one that learns counts once.
TEST(AdvantageActorCritic, AMemoryPlanCountsWhatLearns) {
  for (const Trunk trunk : {Trunk::held, Trunk::learns, Trunk::adapted}) {
    ActorCritic model = with_separate_heads(tiny_policy(trunk));
    MemoryUse use;
    use.add("policy", model.policy.transformer, trunk != Trunk::held);
    const Tensor heads[] = {model.policy.head(), model.value_head.weight};
    use.add_heads("heads", heads);
    int64_t learnt = 0, own = 0;
    for (const MemoryUse::Network& network : use.networks) {
      learnt += network.learnt;
      own += network.own;
    }
    EXPECT_EQ(own, parameter_count(model));
    TrainingConfig held;
    if (trunk == Trunk::held) hold_trunk(held, "policy.transformer.");
    const FrozenBases bases(model);
    int64_t expected = 0;
    for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
      bool learns = !bases.hold(name);
      for (const std::string& prefix : held.frozen) learns = learns && !begins_with(name, prefix);
      if (learns) expected += tensor.count();
    });
    EXPECT_EQ(learnt, expected);
  }
}

TEST_P(AdvantageActorCriticRun, ThreadsChangeNoBit) {
  std::vector<float> first;
  for (const int threads : {1, 2}) {
    const WithThreads scope(threads);
    const std::vector<float> parameters = train(tiny_actor_critic(3, GetParam())).parameters;
    if (first.empty()) first = parameters;
    EXPECT_EQ(parameters, first);
  }
}

TEST_P(AdvantageActorCriticRun, ResumingChangesNoBit) {
  const fs::path folder =
      fs::temp_directory_path() / ("actor_critic_resume_" + std::to_string(getpid()));
  fs::create_directories(folder);
  const auto checkpoints = [&](const fs::path& from) {
    return Checkpoints({.output_dir = folder,
                        .command = "actor_critic",
                        .save_steps = 3,
                        .resume_from = from,
                        .save_model = [](const fs::path&) {}});
  };
  AdvantageActorCriticConfig config = tiny_actor_critic(6, GetParam());
  config.scores.scaling = ScoreScaling::mean_and_deviation;
  config.whiten_advantages = true;
  config.lambda = 0.9f;
  config.critic_rate = 3;
  const Trained whole = train(config, checkpoints({}));
  const Trained rest = train(config, checkpoints(checkpoint_path(folder, 3)));
  fs::remove_all(folder);
  ASSERT_EQ(rest.metrics.size(), 3u);
  EXPECT_EQ(rest.parameters, whole.parameters);
  for (size_t update = 0; update < 3; update++) {
    for (const auto& [name, value] : rest.metrics[update]) {
      if (name == "eps") continue;
      EXPECT_EQ(value, whole.metrics[update + 3].at(name)) << name;
    }
  }
}

// What is computed once an update is what would be computed on the tape.
TEST(AdvantageActorCritic, KeptStatesAreTheSameStates) {
  AdvantageActorCriticConfig config = tiny_actor_critic(2, Trunk::held);
  const Trained kept = train(config);
  config.train_trunk = true;
  config.training.frozen = {"policy.transformer.w", "policy.transformer.h.",
                            "policy.transformer.ln_f"};
  EXPECT_EQ(train(config).parameters, kept.parameters);
}

TEST(AdvantageActorCritic, OneStepAdvantagesAndReturnsDiffer) {
  AdvantageActorCriticConfig config = tiny_actor_critic(3, Trunk::held);
  const std::vector<float> one_step = train(config).parameters;
  config.lambda = 1;
  EXPECT_NE(train(config).parameters, one_step);
}

}  // namespace
}  // namespace rlhf
