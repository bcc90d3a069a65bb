// Hierarchical alignment as runs of a tiny model: responses by segments, what either level learns,
// folders, resuming, and what is refused.
#include <gtest/gtest.h>

#include <fstream>

#include "nn/init.h"
#include "rl/hierarchical_alignment.h"
#include "rl/hierarchical_folder.h"
#include "rl/subtask_rewards.h"
#include "tests/checkpoint_helpers.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using Slice = std::span<const Episode* const>;

constexpr int32_t kOther = 7;
const std::vector<std::string> kNames{"other", "liked"};

/// What becomes of the trunk under the heads.
enum class Trunk { held, learns, adapted };
constexpr Trunk kTrunks[] = {Trunk::held, Trunk::learns, Trunk::adapted};

LanguageModel tiny_base(Trunk trunk = Trunk::held) {
  LanguageModel base{make_gpt2(tiny_config(12), 4)};
  if (trunk == Trunk::adapted) add_adapters(base.transformer, {.r = 4, .alpha = 8}, 5);
  return base;
}

/// Two sub-tasks whose heads and choice are not what they began as.
HierarchicalPolicy varied_policy(LanguageModel base = tiny_base()) {
  HierarchicalPolicy policy = make_hierarchical_policy(std::move(base), 2);
  fill_normal(policy.upper.weight, 0.3, 1, "upper");
  fill_normal(policy.lower[1].weight, 0.3, 2, "lower");
  for (ScoreHead* value : {&policy.upper_value, &policy.lower_value[0], &policy.lower_value[1]}) {
    fill_normal(value->weight, 0.3, 3, "value");
  }
  return policy;
}

constexpr SegmentShape kShape{.segments = 3, .segment_length = 3};
const SamplingOptions kSampling{.max_new_tokens = 9, .stop_tokens = {kEos}, .seed = 5};

/// How often a sub-task's own token occurs in each segment that it wrote.
std::vector<std::vector<double>> own_tokens(std::span<const Episode> episodes) {
  std::vector<std::vector<double>> rewards;
  for (const Episode& e : episodes) {
    std::vector<double>& own = rewards.emplace_back();
    for (size_t s = 0; s < e.segments.size(); s++) {
      const int32_t token = e.segments[s].subtask == 1 ? kLiked : kOther;
      own.push_back(double(std::count(e.response.begin() + e.segments[s].begin,
                                      e.response.begin() + e.end_of_segment(s), token)));
    }
  }
  return rewards;
}

TEST(HierarchicalPolicy, SegmentsMakeUpTheResponse) {
  const std::vector<Episode> episodes = respond(varied_policy(), tiny_prompts(), kSampling, kShape);
  std::vector<int> written(2, 0);
  for (const Episode& e : episodes) {
    ASSERT_FALSE(e.segments.empty());
    EXPECT_EQ(e.log_prob.size(), e.response.size());
    for (size_t s = 0; s < e.segments.size(); s++) {
      EXPECT_EQ(e.segments[s].begin, int64_t(s) * 3);
      written[size_t(e.segments[s].subtask)]++;
    }
    EXPECT_EQ(e.stopped, e.response.back() == kEos);
    EXPECT_TRUE(e.stopped || e.length() == 9);
  }
  EXPECT_GT(written[0], 0);
  EXPECT_GT(written[1], 0);
}

TEST(HierarchicalPolicy, WhatIsLearntIsWhatWasDrawnToTheBit) {
  const HierarchicalPolicy policy = varied_policy();
  const std::vector<Episode> episodes = respond(policy, tiny_prompts(), kSampling, kShape);
  const auto list = pointers(episodes);
  EXPECT_EQ(lower_log_probs(policy, list, 1, 4), flatten(list, &Episode::log_prob));

  const ResponseBatch batch = response_batch(list);
  const Tensor hidden = gather(policy.trunk()(batch.batch), batch.row);
  const std::vector<float> now = upper_output(policy, list, hidden).log_prob.to_vector<float>();
  std::vector<float> drawn;
  for (const Episode& e : episodes) {
    for (const Segment& segment : e.segments) drawn.push_back(segment.log_prob);
  }
  EXPECT_EQ(now, drawn);
}

TEST(HierarchicalPolicy, AResponseDependsOnNoOther) {
  const HierarchicalPolicy policy = varied_policy();
  const std::vector<Tokens> prompts = tiny_prompts();
  const std::vector<Episode> together = respond(policy, prompts, kSampling, kShape);
  for (size_t i = 0; i < prompts.size(); i++) {
    SamplingOptions alone = kSampling;
    alone.first_sequence = i;
    const Episode e = respond(policy, std::span(prompts).subspan(i, 1), alone, kShape)[0];
    EXPECT_EQ(e.response, together[i].response);
    EXPECT_EQ(e.log_prob, together[i].log_prob);
  }
}

TEST(HierarchicalPolicy, BeginsAsTheLanguageModel) {
  const HierarchicalPolicy policy = make_hierarchical_policy(tiny_base(), 3);
  SamplingOptions greedy = kSampling;
  greedy.temperature = 0;
  const std::vector<Episode> ours = respond(policy, tiny_prompts(), greedy, kShape);
  const std::vector<Generated> plain = generate(policy.trunk(), tiny_prompts(), greedy);
  for (size_t i = 0; i < ours.size(); i++) EXPECT_EQ(ours[i].response, plain[i].tokens);
  for (const Episode& e : respond(policy, tiny_prompts(), kSampling, kShape)) {
    for (const Segment& s : e.segments) EXPECT_NEAR(s.log_prob, std::log(1 / 3.0), 1e-6);
  }
}

TEST(HierarchicalPolicy, EndsWhereTheModelHasNoMorePositions) {
  const HierarchicalPolicy policy = varied_policy();
  const std::vector<Tokens> prompts{Tokens(20, 1)};
  SamplingOptions endless = kSampling;
  endless.stop_tokens = {};
  const Episode e = respond(policy, prompts, endless, kShape)[0];
  EXPECT_EQ(e.length(), 4) << "24 positions less 20";
  EXPECT_EQ(e.segments.size(), 2u);
}

struct Trained {
  std::vector<Figures> metrics;
  std::vector<float> parameters;
  HierarchicalPolicy policy;
};

HierarchicalAlignmentConfig tiny_hierarchy(int64_t updates, Trunk trunk = Trunk::held) {
  HierarchicalAlignmentConfig config;
  config.shape = kShape;
  config.episodes_per_update = 12;
  config.total_episodes = 12 * updates;
  config.per_device_train_batch_size = 5;
  config.responses.length = 9;
  config.train_trunk = trunk != Trunk::held;
  config.beta = 0.02f;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = 1e-2};
  config.training.optimizer.weight_decay = 0;
  return config;
}

Trained train(const HierarchicalAlignmentConfig& config, Trunk trunk = Trunk::held,
              Checkpoints checkpoints = {}) {
  const LanguageModel base = tiny_base(trunk);
  Trained out{.metrics = {}, .parameters = {}, .policy = make_hierarchical_policy(base, 2)};
  const IntrinsicReward intrinsic = own_tokens;
  hierarchical_alignment(
      out.policy, reference_policy(base.transformer), tiny_prompts(), count_liked, intrinsic,
      kNames, kEos, config,
      [&](int64_t, int64_t, const Metrics& metrics, std::span<const Episode>) {
        out.metrics.emplace_back(metrics.begin(), metrics.end());
      },
      std::move(checkpoints));
  out.parameters = parameters_of(out.policy);
  return out;
}

// The score counts one token; only one of the sub-tasks is rewarded for it. The lower level does
// not see the score here, so that whatever the response gains is the upper level's choice.
TEST(HierarchicalAlignment, TheUpperLevelFindsTheBetterSubtask) {
  HierarchicalAlignmentConfig config = tiny_hierarchy(60);
  config.extrinsic_coef = 0;
  config.upper_rate = 3;
  const Trained run = train(config);
  const auto mean = [&](const char* name, size_t from) {
    double sum = 0;
    for (size_t i = from; i < from + 5; i++) sum += run.metrics[i].at(name) / 5;
    return sum;
  };
  EXPECT_NEAR(run.metrics[0].at("hierarchical/subtask/liked"), 0.5, 0.2);
  EXPECT_GT(mean("hierarchical/subtask/liked", 55), 0.8);
  EXPECT_GT(mean("hierarchical/intrinsic/liked", 55), mean("hierarchical/intrinsic/liked", 0) + 1);
  EXPECT_GT(mean("objective/scores", 55), mean("objective/scores", 0) + 2);
  EXPECT_LT(mean("hierarchical/entropy", 55), mean("hierarchical/entropy", 0));
}

TEST(HierarchicalAlignment, BothLevelsSeeWhatWasDrawn) {
  for (const Trunk trunk : kTrunks) {
    for (const Figures& figures : train(tiny_hierarchy(3, trunk), trunk).metrics) {
      EXPECT_EQ(figures.at("val/first_logprob_difference"), 0);
      EXPECT_EQ(figures.at("hierarchical/first_logprob_difference"), 0);
      EXPECT_NEAR(
          figures.at("hierarchical/subtask/liked") + figures.at("hierarchical/subtask/other"), 1,
          1e-12);
    }
  }
}

TEST(HierarchicalAlignment, HeadsLearnAndTheTrunkIfItMay) {
  for (const Trunk trunk : kTrunks) {
    Trained run = train(tiny_hierarchy(3, trunk), trunk);
    HierarchicalPolicy before = make_hierarchical_policy(tiny_base(trunk), 2);
    const std::vector<NamedTensor> old = state_dict(before);
    size_t i = 0;
    for (const NamedTensor& entry : state_dict(run.policy)) {
      const bool moved = entry.tensor.to_vector<float>() != old[i++].tensor.to_vector<float>();
      EXPECT_EQ(moved, trunk == Trunk::learns || FrozenBases::is_adapter(entry.name) ||
                           !entry.name.starts_with("base."))
          << entry.name;
    }
  }
}

class HierarchicalResume : public testing::TestWithParam<Trunk> {};
INSTANTIATE_TEST_SUITE_P(Trunk, HierarchicalResume, testing::Values(Trunk::held, Trunk::adapted),
                         [](const auto& info) {
                           return info.param == Trunk::held ? "Held" : "Adapted";
                         });

TEST_P(HierarchicalResume, NeitherThreadsNorStoppingChangeABit) {
  const SavedRun saved(3);
  HierarchicalAlignmentConfig config = tiny_hierarchy(6, GetParam());
  config.scores.scaling = ScoreScaling::mean_and_deviation;
  config.whiten_advantages = true;
  config.upper_rate = 2;
  config.critic_rate = 3;
  const auto with_threads = [&](int threads, Checkpoints checkpoints) {
    const WithThreads scope(threads);
    return train(config, GetParam(), std::move(checkpoints));
  };
  const Trained whole = with_threads(1, saved.whole()), rest = with_threads(2, saved.after(3));
  EXPECT_EQ(rest.parameters, whole.parameters);
  expect_last(rest.metrics, whole.metrics, 3);
}

TEST(HierarchicalAlignment, RefusesWhatHasNoSegments) {
  HierarchicalAlignmentConfig config = tiny_hierarchy(1);
  config.responses.sample_past_end = true;
  EXPECT_THROW(validate(config), InputError);
  config.responses = {.length = 9, .truncate_after = 2};
  EXPECT_THROW(validate(config), InputError);
}

class HierarchicalFolder : public testing::Test {
 protected:
  HierarchicalFolder() {
    save_model(folder, policy.base, tokenizer);
    save_hierarchy(folder, policy, {kNames, "other=bleu; liked=rouge", kShape});
  }
  std::string error() const {
    return message_of<InputError>([&] { load_hierarchical_policy(folder); });
  }

  const CharTokenizer tokenizer = tiny_tokenizer();
  HierarchicalPolicy policy = varied_policy();
  TemporaryFolder folder;
};

TEST_F(HierarchicalFolder, IsReadAsItWasWritten) {
  LoadedHierarchicalPolicy loaded = load_hierarchical_policy(folder);
  EXPECT_EQ(loaded.hierarchy.subtasks, kNames);
  EXPECT_EQ(loaded.hierarchy.shape.segments, 3);
  EXPECT_EQ(parameters_of(loaded.policy), parameters_of(policy));
  EXPECT_TRUE(load_language_model(folder).model.transformer.tied()) << "the trunk for anybody";
}

// The folder holds an adapter in place of the trunk's model, and merged, a model again.
TEST_F(HierarchicalFolder, MayBeAnAdapter) {
  const fs::path base = folder.path().string() + "_base";
  save_model(base, policy.base, tokenizer);
  LanguageModel adapted = tiny_base();
  add_adapters(adapted.transformer, {.r = 2, .base_model_name_or_path = base.string()}, 5);
  for (Block& block : adapted.transformer.h) fill_normal(block.attn.c_attn.lora.b, 0.3, 1, "b");
  policy = varied_policy(adapted);
  save_model(folder, policy.base, tokenizer);
  save_hierarchy(folder, policy, {kNames, "", kShape});
  EXPECT_FALSE(fs::exists(folder / "model.safetensors"));
  LoadedHierarchicalPolicy loaded = load_hierarchical_policy(folder);
  EXPECT_EQ(parameters_of(loaded.policy), parameters_of(policy));
  const auto drawn = [](const HierarchicalPolicy& by) {
    std::vector<float> log_probs;
    for (const Episode& e : respond(by, tiny_prompts(), kSampling, kShape)) {
      log_probs.insert(log_probs.end(), e.log_prob.begin(), e.log_prob.end());
    }
    return log_probs;
  };
  const std::vector<float> expected = drawn(policy);
  EXPECT_EQ(drawn(loaded.policy), expected);
  merge_adapters(loaded.policy.base.transformer);
  const std::vector<float> merged = drawn(loaded.policy);
  ASSERT_EQ(merged.size(), expected.size());
  for (size_t i = 0; i < merged.size(); i++) EXPECT_NEAR(merged[i], expected[i], 1e-4) << i;
  fs::remove_all(base);
}

TEST_F(HierarchicalFolder, AnotherModelInItsPlaceHasNoSubtasks) {
  EXPECT_TRUE(is_hierarchical_folder(folder));
  save_model(folder, policy.base, tokenizer);
  EXPECT_FALSE(is_hierarchical_folder(folder));
  EXPECT_FALSE(fs::exists(folder / "hierarchical.safetensors"));
}

TEST_F(HierarchicalFolder, WhatIsWrongHasALine) {
  save_hierarchy(folder, policy, {{"a", "b", "c"}, "", kShape});
  EXPECT_NE(error().find("\"upper.weight\" as (3, 16), as in hierarchical.json, got (2, 16)"),
            std::string::npos)
      << error();
  std::ofstream(folder / "hierarchical.json") << R"({"subtasks": ["a", "b"], "segments": 0})";
  EXPECT_NE(error().find("hierarchical.json] expected a whole number from 1 to 1048576"),
            std::string::npos)
      << error();
}

TEST(Subtasks, AreNamesWithDescriptions) {
  const auto subtasks = parse_subtasks("warm=keyword:love|fine; short = length:max=2 ;", 1);
  ASSERT_EQ(subtasks.size(), 2u);
  EXPECT_EQ(subtasks[0].name, "warm");
  EXPECT_EQ(subtasks[1].name, "short");
  const auto error = [](const char* text) {
    return message_of<InputError>([&] { parse_subtasks(text, 1); });
  };
  EXPECT_NE(error("warm=keyword:a").find("[--subtasks] expected at least two"), std::string::npos);
  EXPECT_NE(error("a=bleu; a=rouge").find("got \"a\" twice"), std::string::npos);
  EXPECT_NE(error("length:max=3; b=bleu").find("expected name=description"), std::string::npos);
  EXPECT_NE(error("a=nothing; b=bleu").find("[--subtasks] expected length, keyword"),
            std::string::npos);
  EXPECT_NE(error("a=length:max=x; b=bleu").find("[--subtasks] expected a whole number"),
            std::string::npos);
}

TEST(Subtasks, JudgeTheTextOfTheirOwnSegments) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const auto subtasks = parse_subtasks("a=regex_count:a; short=length:max=1", 1);
  const std::vector<PromptRow> rows{
      {.prompt = "b", .row = parse_rows("{\"prompt\": \"b\"}", RowFormat::json_lines, "rows")[0]}};
  const auto text = tokenizer.encode("aabb");
  Episode e{.prompt = {1}, .response = Tokens(text.begin(), text.end())};
  e.response.push_back(tokenizer.eos());
  e.segments = {{0, 0}, {1, 2}};
  const std::vector<Episode> episodes{e};
  const auto rewards = SubtaskRewards(subtasks, tokenizer, rows)(episodes);
  EXPECT_EQ(rewards, (std::vector<std::vector<double>>{{2, -1}})) << "the end is no token";
}

}  // namespace
}  // namespace rlhf
