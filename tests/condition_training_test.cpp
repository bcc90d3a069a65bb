// Reward-conditioned fine-tuning and hindsight relabelling as runs of a tiny model: what they
// learn, who sees which prompt, and that a resumed run has the bits of one that never stopped.
#include <gtest/gtest.h>
#include <filesystem>

#include "rl/hir.h"
#include "rl/reward_conditioned.h"
#include "tests/checkpoint_helpers.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

// Tokens 9 and 11 stand for a bad and a good response; 10 is the end token.
const Tokens kTexts{9, 11};

ConditionedPrompts conditioned() {
  ConditionedPrompts out;
  for (const int32_t text : kTexts) {
    out.push_back(tiny_prompts());
    for (Tokens& prompt : out.back()) prompt.insert(prompt.begin(), text);
  }
  return out;
}

struct Settings {
  int64_t updates = 3, batch = 16;
  double learning_rate = 1e-2;
  float auxiliary = 0.1f;  ///< KL, or contrast
  ScoreFunction score = count_liked;
  OfflineResponses offline = {};
};

struct Trained {
  PolicyResult result;
  std::vector<Figures> metrics;
  std::vector<std::vector<Episode>> episodes;
  LanguageModel model;
};

void settle(PolicyConfig& config, const Settings& s) {
  config.episodes_per_update = 48;
  config.total_episodes = 48 * s.updates;
  config.num_iterations = 2;
  config.num_mini_batches = 4;
  config.per_device_train_batch_size = s.batch;
  config.responses.length = 8;
  config.scores.missing_eos = MissingEos::keep;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = s.learning_rate};
  config.training.optimizer.weight_decay = 0;
}

OnUpdate keep(Trained& out) {
  return [&out](int64_t, int64_t, const Metrics& metrics, std::span<const Episode> episodes) {
    out.metrics.emplace_back(metrics.begin(), metrics.end());
    out.episodes.emplace_back(episodes.begin(), episodes.end());
  };
}

Trained run_quantiles(const Settings& s, Checkpoints checkpoints = {}) {
  RewardConditionedConfig config;
  settle(config, s);
  config.kl_coef = s.auxiliary;
  Trained out{.model = {make_gpt2(tiny_config(12), 4)}};
  const Gpt2 reference = frozen_copy(out.model.transformer);
  const auto prompts = tiny_prompts();
  out.result = reward_conditioned(out.model, reference, prompts, conditioned(), s.offline, s.score,
                                  kEos, config, keep(out), std::move(checkpoints));
  return out;
}

const std::vector<Instruction> kBands{{.text = "few", .below = 1}, {.text = "many", .least = 1}};

Trained run_hindsight(const Settings& s, Checkpoints checkpoints = {}) {
  HirConfig config;
  settle(config, s);
  config.contrastive_coef = s.auxiliary;
  Trained out{.model = {make_gpt2(tiny_config(12), 4)}};
  const Gpt2 reference = frozen_copy(out.model.transformer);
  const auto prompts = tiny_prompts();
  out.result = hir(out.model, reference, prompts, conditioned(), kBands, s.score, kEos, config,
                   keep(out), std::move(checkpoints));
  return out;
}

double mean_score(const Gpt2& model, int64_t condition) {
  const ConditionedPrompts prompts = conditioned();
  std::vector<Tokens> asked;
  for (int i = 0; i < 40; i++) {
    for (const Tokens& prompt : prompts[size_t(condition)]) asked.push_back(prompt);
  }
  const auto scores = count_liked(
      sample_episodes(model, asked, {.max_new_tokens = 8, .stop_tokens = {kEos}, .seed = 99}, 64));
  return std::accumulate(scores.begin(), scores.end(), 0.0) / double(scores.size());
}

using Run = std::function<Trained(const Settings&, Checkpoints)>;

class ConditionTrainingRun : public testing::TestWithParam<std::pair<const char*, Run>> {
 protected:
  Trained run(const Settings& settings, Checkpoints checkpoints = {}) const {
    return GetParam().second(settings, std::move(checkpoints));
  }
};

TEST_P(ConditionTrainingRun, TheConditionSteers) {
  const Trained trained = run({.updates = 12});
  const Gpt2& model = trained.model.transformer;
  EXPECT_GT(mean_score(model, 1), mean_score(model, 0) + 0.5);
  EXPECT_GT(mean_score(model, 1), mean_score(make_gpt2(tiny_config(12), 4), 1) + 0.5);
}

TEST_P(ConditionTrainingRun, WhoJudgesSeesThePromptAndNoCondition) {
  const ScoreFunction score = [](std::span<const Episode> episodes) {
    const auto prompts = tiny_prompts();
    for (const Episode& e : episodes) EXPECT_EQ(e.prompt, prompts[size_t(e.row)]);
    return count_liked(episodes);
  };
  const Trained trained = run({.updates = 2, .score = score});
  const auto prompts = tiny_prompts();
  const Gpt2 reference = make_gpt2(tiny_config(12), 4);
  for (const Episode& e : trained.episodes[1]) {
    EXPECT_EQ(e.prompt, prompts[size_t(e.row)]);
    const std::vector<const Episode*> list{&e};
    EXPECT_EQ(e.ref_log_prob, response_log_probs(reference, list, 1, 1))
        << "nor does the reference";
  }
}

TEST_P(ConditionTrainingRun, AResumedRunIsTheSame) {
  const SavedRun saved(2);
  Trained whole = run({.updates = 4}, saved.whole());
  Trained rest = run({.updates = 4}, saved.after(2));
  EXPECT_EQ(parameters_of(rest.model), parameters_of(whole.model));
  expect_last(rest.metrics, whole.metrics, 2);
}

TEST_P(ConditionTrainingRun, TheAuxiliaryTermLeavesItsMark) {
  Trained with = run({.updates = 1}), without = run({.updates = 1, .auxiliary = 0});
  EXPECT_NE(parameters_of(with.model), parameters_of(without.model));
}

INSTANTIATE_TEST_SUITE_P(Algorithms, ConditionTrainingRun,
                         testing::Values(std::pair<const char*, Run>{"Quantiles", run_quantiles},
                                         std::pair<const char*, Run>{"Hindsight", run_hindsight}),
                         [](const auto& info) { return info.param.first; });

TEST(RewardConditioned, ThePoolKeepsAllRounds) {
  const Trained trained = run_quantiles({.updates = 3});
  EXPECT_EQ(trained.metrics[0].at("pool/size"), 48);
  EXPECT_EQ(trained.metrics[2].at("pool/size"), 144);
}

TEST(RewardConditioned, ALargeKlTermHoldsThePolicy) {
  const auto kl = [](float coefficient) {
    return run_quantiles({.updates = 6, .auxiliary = coefficient}).metrics.back().at("loss/kl");
  };
  EXPECT_LT(kl(10), 0.3 * kl(0.01f));
}

TEST(RewardConditioned, OfflineResponsesAreAllThatIsLearnt) {
  OfflineResponses offline{.prompts = tiny_prompts(), .conditioned = conditioned()};
  for (int64_t i = 0; i < 60; i++) {
    const bool good = i % 2;
    offline.responses.push_back({.row = i % 6,
                                 .response = good ? Tokens{3, 3, 3, 3, 10} : Tokens{5, 6, 5, 10},
                                 .score = good ? 4.0 : 0.0});
  }
  const Trained trained = run_quantiles({.updates = 8, .auxiliary = 0, .offline = offline});
  EXPECT_EQ(trained.metrics.back().at("pool/size"), 60);
  EXPECT_GT(mean_score(trained.model.transformer, 1), 2.5);
  EXPECT_LT(mean_score(trained.model.transformer, 0), 0.5);
}

TEST(Hir, RelabelledResponsesFulfilTheirInstruction) {
  const Trained trained = run_hindsight({.updates = 12});
  EXPECT_LT(trained.metrics[0].at("hir/followed"), 0.75);
  EXPECT_GT(trained.metrics.back().at("hir/followed"), 0.85);
}

}  // namespace
}  // namespace rlhf
