// A run that was stopped and resumed ends with the bits of one that was not: parameters, moments
// and everything that was logged, wherever it was cut and with however many threads it went on.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "rl/checkpoints.h"
#include "rl/ppo.h"
#include "rl/pretrain.h"
#include "rl/reward_training.h"
#include "rl/run/checkpoint_folder.h"
#include "rl/sft.h"
#include "tests/files.h"
#include "tests/gpu.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

struct Log {
  std::vector<std::pair<int64_t, Metrics>> lines;
  OnStep on_step() {
    return [this](int64_t step, int64_t, Metrics metrics) {
      // What a clock says differs between any two runs.
      std::erase_if(metrics,
                    [](const auto& m) { return m.first == "eps" || m.first == "tokens_per_s"; });
      lines.emplace_back(step, metrics);
    };
  }
};

/// Trains a fresh model from the same beginning and returns all its parameters.
using Training = std::function<std::vector<float>(Checkpoints, Log&)>;

class Resume : public testing::Test {
 protected:
  CheckpointConfig config() const {
    return {.output_dir = folder,
            .command = "test",
            .save_steps = 0,
            .save_model = [](const fs::path& path) { std::ofstream(path / "model") << "here"; }};
  }

  /// Checkpoints that ask to stop after a step, and those that go on from there.
  Checkpoints stopping_after(int64_t step) const {
    CheckpointConfig c = config();
    c.stop_signal = [step, calls = int64_t{0}]() mutable { return ++calls == step ? SIGTERM : 0; };
    return Checkpoints(std::move(c));
  }
  Checkpoints resuming() const {
    CheckpointConfig c = config();
    c.resume_from = newest_checkpoint(folder, [](const std::string&) {});
    return Checkpoints(std::move(c));
  }

  void expect_the_same_bits(const Training& train, std::initializer_list<int64_t> cuts) {
    Log whole;
    const std::vector<float> parameters = train({}, whole);
    for (const int64_t cut : cuts) {
      for (const int threads : {1, 2}) {
        SCOPED_TRACE(testing::Message() << "cut after " << cut << ", " << threads << " threads");
        const WithThreads count(threads);
        Log parts;
        EXPECT_THROW(train(stopping_after(cut), parts), Interrupted);
        EXPECT_EQ(checkpoint_steps(folder), std::vector<int64_t>{cut});
        EXPECT_EQ(train(resuming(), parts), parameters);
        EXPECT_EQ(parts.lines, whole.lines);
        remove_checkpoint(checkpoint_path(folder, cut));
      }
    }
  }

  TemporaryFolder folder;
};

Gpt2Config with_dropout() {
  Gpt2Config config = tiny_config(12);
  config.set_dropout(0.1f);
  return config;
}

TrainingConfig training(int64_t steps) {
  TrainingConfig config{.max_steps = steps, .batch_size = 3, .gradient_accumulation_steps = 2};
  config.skip_outliers = 1e9;  // its windows are state as well
  return config;
}

TEST_F(Resume, Pretraining) {
  Tokens stream;
  for (int i = 0; i < 300; i++) stream.push_back((i * i + 3 * i) % 12);
  const std::span<const int32_t> all(stream);
  const Training train = [&](Checkpoints checkpoints, Log& log) {
    Gpt2 model = make_gpt2(with_dropout(), 1);
    const PretrainConfig config{
        .training = training(12), .block_size = 8, .eval_steps = 5, .logging_steps = 3};
    pretrain(model, all.first(250), all.subspan(250), config, log.on_step(),
             std::move(checkpoints));
    return parameters_of(model);
  };
  expect_the_same_bits(train, {1, 7, 11});
}

TEST_F(Resume, OnTheGpu) {
  RLHF_NEEDS_GPU();
  Tokens stream;
  for (int i = 0; i < 150; i++) stream.push_back((i * i + 3 * i) % 12);
  const std::span<const int32_t> all(stream);
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const Training train = [&](Checkpoints checkpoints, Log& log) {
      Gpt2 model = make_gpt2(with_dropout(), 1);
      move_parameters(model, {Device::cuda, dtype});
      const PretrainConfig config{
          .training = training(5), .block_size = 8, .eval_steps = 5, .logging_steps = 1};
      pretrain(model, all.first(120), all.subspan(120), config, log.on_step(),
               std::move(checkpoints));
      return parameters_of(model);
    };
    expect_the_same_bits(train, {3});
  }
}

TEST_F(Resume, FineTuning) {
  SftData data;
  for (int e = 0; e < 14; e++) {
    Example example;
    for (int t = 0; t < 4 + e % 5; t++) example.tokens.push_back((e + 3 * t) % 12);
    example.learn.assign(example.tokens.size(), 1);
    data.train.push_back(example);
  }
  data.val = {data.train[0]};
  for (const bool packing : {false, true}) {
    const Training train = [&](Checkpoints checkpoints, Log& log) {
      Gpt2 model = make_gpt2(with_dropout(), 1);
      sft(model, data,
          {.training = training(9), .max_length = 16, .packing = packing, .logging_steps = 2},
          log.on_step(), std::move(checkpoints));
      return parameters_of(model);
    };
    expect_the_same_bits(train, {1, 4, 8});
  }
}

TEST_F(Resume, FineTuningOfAdapters) {
  SftData data;
  for (int e = 0; e < 9; e++) {
    data.train.push_back({{e, 3, (5 * e) % 12, 7, e % 4, 10}, std::vector<char>(6, 1)});
  }
  const auto train = [&](Checkpoints checkpoints, Log& log, uint64_t base) {
    Gpt2 model = make_gpt2(with_dropout(), base);
    add_adapters(model, {.r = 3, .dropout = 0.2}, 2);
    sft(model, data, {.training = training(6), .logging_steps = 2}, log.on_step(),
        std::move(checkpoints));
    return parameters_of(model);
  };
  expect_the_same_bits([&](Checkpoints c, Log& log) { return train(std::move(c), log, 1); },
                       {1, 4});
  Log log;
  EXPECT_THROW(train(stopping_after(2), log, 1), Interrupted);
  EXPECT_EQ(message_of<InputError>([&] { train(resuming(), log, 3); }),
            "[--model_name_or_path] expected the frozen parameters that the run began with, got "
            "others");
}

TEST_F(Resume, RewardFromPairsLabelsAndScores) {
  RewardData data;
  for (int e = 0; e < 15; e++) {
    RewardExample example{.loss = RewardLoss(e % 3), .first = {e % 12, 3, (5 * e) % 12, 10}};
    if (example.loss == RewardLoss::pairwise) example.second = {e % 12, 4, 10};
    example.value = e % 2;
    data.examples.push_back(example);
  }
  const Training train = [&](Checkpoints checkpoints, Log& log) {
    ScalarModel model{make_gpt2(with_dropout(), 1), {}};
    model.score = make_score_head(model.transformer, 1, /*zero=*/false);
    train_reward(model, data, data, {.training = training(8), .eval_steps = 3, .logging_steps = 2},
                 log.on_step(), std::move(checkpoints));
    return parameters_of(model);
  };
  expect_the_same_bits(train, {1, 4, 7});
}

TEST_F(Resume, Ppo) {
  const std::vector<Tokens> prompts{{0, 1}, {2, 3, 4}, {5}, {6, 7}};
  const ScoreFunction score = [](std::span<const Episode> episodes) {
    std::vector<double> scores;
    for (const Episode& e : episodes) scores.push_back(double(e.response[0] % 3) - 1);
    return scores;
  };
  for (const bool adapters : {false, true}) {
    const Training train = [&](Checkpoints checkpoints, Log& log) {
      Gpt2 start = make_gpt2(tiny_config(12), 1);
      if (adapters) add_adapters(start, {.r = 3}, 2);
      const auto copy = [&] { return adapters ? shared_copy(start) : frozen_copy(start); };
      const Gpt2 reference = reference_policy(start);
      ActorCritic model{{copy()}, copy(), make_score_head(start, 0, true)};
      PpoConfig config;
      config.total_episodes = 36;
      config.episodes_per_update = 6;
      config.num_iterations = 2;
      config.num_mini_batches = 2;
      config.per_device_train_batch_size = 2;
      config.responses.length = 5;
      config.kl = {.coefficient = 0.3, .target = 0.5, .horizon = 50};
      config.training = training(1);
      const OnStep on_step = log.on_step();
      ppo(
          model, reference, prompts, score, 10, config,
          [&](int64_t update, int64_t total, const Metrics& metrics, std::span<const Episode>) {
            on_step(update, total, metrics);
          },
          std::move(checkpoints));
      return parameters_of(model);
    };
    expect_the_same_bits(train, {1, 3, 5});
  }
}

TEST_F(Resume, RefusesAnotherModelCommandOrInput) {
  Tokens stream(100, 1);
  const auto train = [&](Checkpoints checkpoints, int64_t layers, int64_t steps = 4) {
    Gpt2Config shape = tiny_config(12);
    shape.n_layer = layers;
    Gpt2 model = make_gpt2(shape, 1);
    pretrain(
        model, stream, {}, {.training = training(steps), .block_size = 8},
        [](int64_t, int64_t, const Metrics&) {}, std::move(checkpoints));
  };
  EXPECT_THROW(train(stopping_after(2), 2), Interrupted);
  EXPECT_NE(message_of<InputError>([&] {
              train(resuming(), 1);
            }).find("expected no tensor \"first.h.1.attn.c_attn.bias\" in this model"),
            std::string::npos);
  EXPECT_NE(message_of<InputError>([&] {
              train(resuming(), 3);
            }).find("expected a tensor \"parameter.h.2.ln_1.weight\", got none"),
            std::string::npos);
  EXPECT_NE(message_of<InputError>([&] { train(resuming(), 2, 2); })
                .find("[--resume_from_checkpoint] expected a checkpoint before the run's last step "
                      "2, got one after step 2"),
            std::string::npos);
  CheckpointConfig other = config();
  other.resume_from = checkpoint_path(folder, 2);
  other.command = "ppo";
  EXPECT_NE(message_of<InputError>([&] {
              Checkpoints{other};
            }).find("expected a checkpoint of `rlhf ppo`, got one of `rlhf test`"),
            std::string::npos);
  other.command = "test";
  other.inputs = {{"dataset_name", "abc"}};
  EXPECT_NE(message_of<InputError>([&] {
              Checkpoints{other};
            }).find("[--dataset_name] expected what the run in"),
            std::string::npos);
}

/// Nine steps on a stream of ones.
void train_nine_steps(Checkpoints checkpoints) {
  Gpt2 model = make_gpt2(tiny_config(12), 1);
  pretrain(
      model, Tokens(100, 1), {}, {.training = training(9), .block_size = 8},
      [](int64_t, int64_t, const Metrics&) {}, std::move(checkpoints));
}

TEST_F(Resume, KeepsTheNewestCheckpoints) {
  CheckpointConfig c = config();
  c.save_steps = 2;
  c.save_total_limit = 3;
  train_nine_steps(Checkpoints(c));
  EXPECT_EQ(checkpoint_steps(folder), (std::vector<int64_t>{6, 8, 9}));
}

TEST_F(Resume, ANewRunTakesThePlaceOfOneThatHasEndedOnly) {
  CheckpointConfig c = config();
  c.save_steps = 2;
  train_nine_steps(Checkpoints(c));
  EXPECT_NE(message_of<InputError>([&] {
              Checkpoints again(c);
            }).find("[--output_dir] expected a folder without an unfinished run, got one with"),
            std::string::npos);
  std::ofstream(folder / "summary.json") << "{}";
  c.save_steps = 5;
  train_nine_steps(Checkpoints(c));
  EXPECT_EQ(checkpoint_steps(folder), (std::vector<int64_t>{5, 9}));
}

TEST_F(Resume, DropsTheLaterCheckpointsOfACourseThatItLeaves) {
  CheckpointConfig c = config();
  c.save_steps = 2;
  c.save_total_limit = 10;
  train_nine_steps(Checkpoints(c));
  c.resume_from = checkpoint_path(folder, 4);
  c.save_steps = 0;
  c.stop_signal = [] { return SIGINT; };
  EXPECT_THROW(train_nine_steps(Checkpoints(c)), Interrupted);
  EXPECT_EQ(checkpoint_steps(folder), (std::vector<int64_t>{2, 4, 5}));
}

TEST_F(Resume, GoesOnWhenTheDiskRefusesACheckpointUnlessItIsTheLast) {
  const auto train = [&](int64_t refused, std::vector<std::string>& failures) {
    CheckpointConfig c = config();
    c.save_steps = 3;
    c.on_failure = [&](const std::string& message) { failures.push_back(message); };
    c.save_model = [refused, saves = int64_t{0}](const fs::path&) mutable {
      check(++saves != refused, "disk", "expected room, got none");
    };
    train_nine_steps(Checkpoints(c));
  };
  std::vector<std::string> failures;
  train(2, failures);
  EXPECT_EQ(failures, std::vector<std::string>{"[disk] expected room, got none"});
  EXPECT_EQ(checkpoint_steps(folder), (std::vector<int64_t>{3, 9}));
  remove_checkpoint(checkpoint_path(folder, 3));
  remove_checkpoint(checkpoint_path(folder, 9));
  EXPECT_EQ(message_of<Error>([&] { train(3, failures); }), "[disk] expected room, got none");
  EXPECT_EQ(failures.size(), 1u);
}

TEST_F(Resume, RefusesToStartWithoutRoomForItsCheckpoints) {
  CheckpointConfig c = config();
  c.save_steps = 2;
  c.save_total_limit = int64_t{1} << 40;
  EXPECT_NE(message_of<InputError>([&] {
              train_nine_steps(Checkpoints(c));
            }).find("[--output_dir] expected"),
            std::string::npos);
  EXPECT_TRUE(checkpoint_steps(folder).empty());
}

}  // namespace
}  // namespace rlhf
