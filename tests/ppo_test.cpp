// PPO on tiny models: the self-test at learning rate 0, what each option does, and a policy that
// learns. The arithmetic of an update is checked in ppo_oracle_test.cpp.
#include "rl/ppo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

std::vector<double> always(double score, size_t count) { return std::vector<double>(count, score); }

TEST(Ppo, AtLearningRateZeroTheRatioIsExactlyOne) {
  for (const Critic critic : {Critic::head, Critic::separate}) {
    for (const float temperature : {1.0f, 0.7f}) {
      for (const int threads : {1, 2}) {
        const WithThreads scope(threads);
        ActorCritic model = tiny_actor(critic);
        const std::vector<float> before = parameters_of(model);
        PpoConfig config = tiny_ppo(3, 0);
        config.responses.temperature = temperature;
        const Recording run = record_ppo(model, config);
        ASSERT_EQ(run.metrics.size(), 3u);
        for (const Figures& figures : run.metrics) {
          EXPECT_EQ(figures.at("val/ratio"), 1);
          EXPECT_EQ(figures.at("val/ratio_var"), 0);
          EXPECT_EQ(figures.at("policy/approxkl_avg"), 0);
          EXPECT_EQ(figures.at("policy/clipfrac_avg"), 0);
          EXPECT_EQ(figures.at("val/clipfrac_avg"), 0) << "values are seen again bit for bit, too";
          EXPECT_EQ(figures.at("objective/kl"), 0);
          EXPECT_GT(figures.at("grad_norm"), 0);
        }
        EXPECT_EQ(run.parameters, before);
      }
    }
  }
}

TEST(Ppo, AtLearningRateZeroTheLossesFollowFromTheEpisodes) {
  for (const Critic critic : {Critic::head, Critic::separate}) {
    PpoConfig config = tiny_ppo(2, 0);
    config.whiten_advantages = false;
    const Recording run = record_ppo(tiny_actor(critic), config);
    for (size_t update = 0; update < 2; update++) {
      double policy = 0, value = 0, tokens = 0;
      for (const Episode& e : run.episodes[update]) {
        for (size_t t = 0; t < e.response.size(); t++) {
          policy -= e.advantage[t];  // the ratio is 1
          value += 0.5 * std::pow(double(e.value[t]) - double(e.returns[t]), 2);
          tokens++;
        }
      }
      EXPECT_NEAR(run.metrics[update].at("loss/policy_avg"), policy / tokens, 1e-5);
      EXPECT_NEAR(run.metrics[update].at("loss/value_avg"), value / tokens, 1e-5);
    }
  }
}

TEST(Ppo, NeverDrawsTheSameResponsesTwice) {
  const std::vector<Tokens> one{{1, 2, 3}};
  ActorCritic model = tiny_actor(Critic::head);
  std::vector<std::vector<Tokens>> responses;
  ppo(model, frozen_copy(model.policy.transformer), one, count_liked, kEos, tiny_ppo(2, 0),
      [&](int64_t, int64_t, const Metrics&, std::span<const Episode> episodes) {
        responses.emplace_back();
        for (const Episode& e : episodes) responses.back().push_back(e.response);
      });
  EXPECT_NE(responses[0], responses[1]);
  EXPECT_NE(responses[0][0], responses[0][1]);
}

TEST(Ppo, IsEqualBitForBitForOneSeedAndAnyNumberOfThreads) {
  for (const Critic critic : {Critic::head, Critic::separate}) {
    std::vector<Recording> runs;
    for (const int threads : {1, 1, 2}) {
      const WithThreads scope(threads);
      runs.push_back(record_ppo(tiny_actor(critic), tiny_ppo(3, 1e-3)));
    }
    EXPECT_EQ(runs[0].parameters, runs[1].parameters);
    EXPECT_EQ(runs[0].parameters, runs[2].parameters);
    PpoConfig other = tiny_ppo(3, 1e-3);
    other.training.seed = 43;
    EXPECT_NE(record_ppo(tiny_actor(critic), other).parameters, runs[0].parameters);
  }
}

TEST(Ppo, TheBatchInMemoryChangesNothingButRounding) {
  PpoConfig config = tiny_ppo(2, 1e-3);
  config.training.optimizer.kind = OptimizerKind::sgd;
  const Recording small = record_ppo(tiny_actor(Critic::head), config);
  config.per_device_train_batch_size = 64;
  const Recording large = record_ppo(tiny_actor(Critic::head), config);
  for (size_t i = 0; i < small.parameters.size(); i++) {
    ASSERT_NEAR(small.parameters[i], large.parameters[i], 1e-6) << i;
  }
}

// Of the last three updates.
double tail_mean(const Recording& run, const std::string& metric) {
  double sum = 0;
  for (size_t i = run.metrics.size() - 3; i < run.metrics.size(); i++) {
    sum += run.metrics[i].at(metric);
  }
  return sum / 3;
}

TEST(Ppo, LearnsToSayWhatIsLiked) {
  for (const Critic critic : {Critic::head, Critic::separate}) {
    PpoConfig config = tiny_ppo(30, 5e-3);
    config.episodes_per_update = 32;
    config.total_episodes = 32 * 30;
    config.num_mini_batches = 1;
    config.per_device_train_batch_size = 32;
    config.scores.missing_eos = MissingEos::keep;
    std::vector<double> kl;
    for (const double beta : {0.02, 2.0}) {
      config.kl.coefficient = beta;
      const Recording run = record_ppo(tiny_actor(critic), config);
      kl.push_back(tail_mean(run, "objective/kl"));
      if (beta > 1) break;
      EXPECT_GT(tail_mean(run, "objective/scores"), run.metrics[0].at("objective/scores") + 2)
          << int(critic);
      EXPECT_LT(kl[0], 40) << "8 tokens, each from about 1/12 to 1: 20 nats";
      EXPECT_GT(run.metrics.back().at("val/explained_variance"),
                run.metrics.front().at("val/explained_variance"));
    }
    EXPECT_GT(kl[0], 2);
    EXPECT_LT(kl[1], 0.25 * kl[0]) << "the penalty holds the policy back";
  }
}

TEST(Ppo, RewardsAreThePenaltyAndTheScoreOnTheLastToken) {
  PpoConfig config = tiny_ppo(3, 5e-3);
  config.kl.coefficient = 0.3;
  config.scores.missing_eos = MissingEos::keep;
  const Recording run = record_ppo(tiny_actor(Critic::head), config);
  double largest = 0;
  for (const auto& episodes : run.episodes) {
    for (const Episode& e : episodes) {
      EXPECT_EQ(e.score, count_liked({&e, 1})[0]);
      for (size_t t = 0; t < e.response.size(); t++) {
        const double kl = double(e.log_prob[t]) - double(e.ref_log_prob[t]);
        const bool last = t + 1 == e.response.size();
        EXPECT_NEAR(e.reward[t], -0.3 * kl + (last ? e.score : 0), 1e-6);
        largest = std::max(largest, std::abs(kl));
      }
    }
  }
  for (const Episode& e : run.episodes[0]) EXPECT_EQ(e.log_prob, e.ref_log_prob);
  EXPECT_GT(largest, 0.01) << "later updates must have moved";
}

TEST(Ppo, JudgesAMissingEndByItsRule) {
  PpoConfig config = tiny_ppo(4, 0);
  config.responses.temperature = 2;
  config.scores.missing_eos_penalty = 1.5;
  const ScoreFunction two = [](auto episodes) { return always(2, episodes.size()); };
  for (const auto& [rule, missing] :
       {std::pair{MissingEos::keep, 2.0}, std::pair{MissingEos::subtract, 0.5},
        std::pair{MissingEos::replace, -1.5}}) {
    config.scores.missing_eos = rule;
    int stopped = 0, all = 0;
    const Recording run = record_ppo(tiny_actor(Critic::head), config, two);
    for (const auto& episodes : run.episodes) {
      for (const Episode& e : episodes) {
        EXPECT_EQ(e.score, e.stopped ? 2 : missing);
        stopped += e.stopped;
        all++;
      }
    }
    EXPECT_GT(stopped, 0);
    EXPECT_LT(stopped, all) << "both kinds must occur for this test to mean anything";
  }
}

struct Moments {
  double mean = 0, variance = 0;
};
Moments moments_of(const std::vector<Episode>& episodes, std::vector<float> Episode::*field) {
  double n = 0, sum = 0, squares = 0;
  for (const Episode& e : episodes) {
    for (const float x : e.*field) {
      n++;
      sum += x;
      squares += double(x) * double(x);
    }
  }
  return {sum / n, squares / n - sum / n * (sum / n)};
}

TEST(Ppo, WhitensWhatTheFlagsSay) {
  for (const bool rewards : {false, true}) {
    for (const bool advantages : {false, true}) {
      PpoConfig config = tiny_ppo(1, 0);
      config.scores.missing_eos = MissingEos::keep;
      config.whiten_rewards = rewards;
      config.whiten_advantages = advantages;
      const auto episodes = record_ppo(tiny_actor(Critic::head), config).episodes[0];
      const Moments a = moments_of(episodes, &Episode::advantage);
      const Moments r = moments_of(episodes, &Episode::reward);
      EXPECT_EQ(std::abs(a.mean) < 1e-5 && std::abs(a.variance - 1) < 1e-4, advantages);
      EXPECT_EQ(std::abs(r.variance - 1) < 1e-4, rewards);
      EXPECT_GT(std::abs(r.mean), 0.01) << "rewards keep their mean";
    }
  }
}

TEST(Ppo, AsksEveryPromptOncePerEpoch) {
  const Recording run = record_ppo(tiny_actor(Critic::head), tiny_ppo(2, 0));
  for (const auto& episodes : run.episodes) {
    std::map<Tokens, int> asked;
    for (const Episode& e : episodes) asked[e.prompt]++;
    EXPECT_EQ(asked.size(), 6u);
    for (const auto& [prompt, times] : asked) EXPECT_EQ(times, 2);
  }
  EXPECT_EQ(run.result.updates, 2);
  EXPECT_EQ(run.result.episodes, 24);
}

TEST(Ppo, AdaptsTheCoefficientAfterEachUpdate) {
  PpoConfig config = tiny_ppo(3, 5e-3);
  config.kl = {.coefficient = 0.15, .target = 6, .horizon = 100};
  const Recording run = record_ppo(tiny_actor(Critic::head), config);
  KlController controller = config.kl;
  for (const Figures& figures : run.metrics) {
    EXPECT_DOUBLE_EQ(figures.at("objective/kl_coef"), controller.coefficient);
    controller.update(figures.at("objective/kl"), 12);
  }
  EXPECT_DOUBLE_EQ(run.result.kl_coefficient, controller.coefficient);
}

TEST(Ppo, ACriticRateOfZeroFreezesTheCriticAlone) {
  ActorCritic model = tiny_actor(Critic::separate);
  const std::vector<float> critic = parameters_of(*model.critic);
  const std::vector<float> policy = parameters_of(model.policy);
  PpoConfig config = tiny_ppo(2, 1e-3);
  config.critic_rate = 0;
  ppo(model, frozen_copy(model.policy.transformer), tiny_prompts(), count_liked, kEos, config,
      [](int64_t, int64_t, const Metrics&, std::span<const Episode>) {});
  EXPECT_EQ(parameters_of(*model.critic), critic);
  EXPECT_NE(parameters_of(model.policy), policy);
}

TEST(Ppo, AnEntropyBonusKeepsThePolicyOpen) {
  std::vector<double> entropy;
  for (const float coefficient : {0.0f, 1.0f}) {
    PpoConfig config = tiny_ppo(10, 5e-3);
    config.entropy_coef = coefficient;
    config.kl.coefficient = 0;
    entropy.push_back(
        record_ppo(tiny_actor(Critic::head), config).metrics.back().at("policy/entropy_avg"));
  }
  EXPECT_GT(entropy[1], entropy[0] + 0.2);
}

TEST(CheckPrompts, NamesThePromptThatDoesNotFit) {
  const auto message = [](const std::vector<Tokens>& prompts) {
    return message_of<InputError>([&] { check_prompts(prompts, 10, 4); });
  };
  EXPECT_EQ(message({}), "[prompts] expected at least one, got none");
  EXPECT_EQ(message({Tokens(5, 1)}), "");
  EXPECT_EQ(message({{1}, Tokens(6, 1)}),
            "[prompts] expected prompt 2 to leave 4 of 10 positions for the response and its end, "
            "got 6 tokens");
  EXPECT_EQ(message({{1}, {2}, {}}),
            "[prompts] expected prompt 3 to leave 4 of 10 positions for the response and its end, "
            "got 0 tokens");
}

TEST(Ppo, ReportsCriticAndAdvantagesOnTheScaleTheyWereLearntOn) {
  PpoConfig config = tiny_ppo(1, 1e-3);
  config.num_mini_batches = 1;
  config.whiten_rewards = true;
  const Figures batch = record_ppo(tiny_actor(Critic::separate), config).metrics[0];
  config.whiten_scope = WhitenScope::minibatch;
  const Figures minibatch = record_ppo(tiny_actor(Critic::separate), config).metrics[0];
  for (const char* name : {"val/explained_variance", "ppo/returns/mean", "ppo/returns/var",
                           "ppo/policy/advantages_mean"}) {
    EXPECT_NEAR(minibatch.at(name), batch.at(name), 1e-4) << name;
  }
}

}  // namespace
}  // namespace rlhf
