// samples.jsonl: what a policy said on the way comes back as it was written, survives a kill and a
// resumption, and a run learns the same with and without it.
#include "rl/run/samples_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "core/check.h"
#include "data/text_file.h"
#include "tests/message_of.h"
#include "tests/small_runs.h"

namespace rlhf {
namespace {

using namespace end_to_end;

StepSamples step_of(int64_t step, const std::string& response = "fine") {
  return {.step = step,
          .scores = {0.1, -2},
          .samples = {
              {.prompt = "the film", .response = response, .score = 0.1, .kl = 0.25, .length = 4}}};
}

TEST(SamplesLog, WritesOneObjectALineThatReadersTakeBack) {
  const TemporaryFolder root;
  const fs::path file = root / "samples.jsonl";
  const double inf = std::numeric_limits<double>::infinity();
  {
    SamplesLog log(file);
    log.write(step_of(3, "a\n\"b\"\xff"));
    log.write({.step = 7, .scores = {1.0 / 3, inf}, .samples = {{"", "", std::nan(""), 0, 0}}});
  }
  EXPECT_EQ(lines_of(file)[0],
            "{\"step\":3,\"scores\":[0.1,-2.0],\"samples\":[{\"prompt\":\"the film\",\"response\":"
            "\"a\\n\\\"b\\\"\xef\xbf\xbd\",\"score\":0.1,\"kl\":0.25,\"length\":4}]}");
  const std::vector<StepSamples> steps = read_samples(file);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].samples[0].response, "a\n\"b\"\xef\xbf\xbd");
  EXPECT_EQ(steps[0].samples[0].length, 4);
  EXPECT_EQ(steps[1].step, 7);
  EXPECT_EQ(steps[1].scores[0], 1.0 / 3);
  EXPECT_TRUE(std::isnan(steps[1].scores[1]));
  EXPECT_TRUE(std::isnan(steps[1].samples[0].score));
  EXPECT_EQ(read_samples(file, 3).size(), 1u);
  EXPECT_EQ(read_samples(file, 7).size(), 0u);
}

TEST(SamplesLog, AResumedRunKeepsLinesUpToItsStep) {
  const TemporaryFolder root;
  const fs::path file = root / "samples.jsonl";
  {
    SamplesLog log(file);
    for (const int64_t step : {1, 5, 10}) log.write(step_of(step));
  }
  const std::vector<std::string> before = lines_of(file);
  std::ofstream(file, std::ios::app) << "{\"step\":15,\"scor";  // killed while writing
  EXPECT_EQ(read_samples(file).size(), 3u);
  SamplesLog log(file, 5);
  log.write(step_of(10));
  EXPECT_EQ(lines_of(file), before);
  SamplesLog anew(file);
  EXPECT_EQ(content_of(file), "");
  EXPECT_TRUE(read_samples(file).empty());
}

TEST(SamplesLog, LinesStayAsShortAsReadersTakeThem) {
  const TemporaryFolder root;
  const fs::path file = root / "samples.jsonl";
  StepSamples large = step_of(1, std::string(max_row_bytes / 4, 'a'));
  large.samples.resize(6, large.samples[0]);
  SamplesLog(file).write(large);
  EXPECT_EQ(read_samples(file).at(0).samples.size(), 3u);
}

TEST(SamplesLog, RefusesWhatItsWriterDoesNotWrite) {
  const auto refusal = [](const std::string& bytes) {
    return message_of<InputError>([&] { parse_samples(bytes, "s", [](const SamplesLine&) {}); });
  };
  const std::string good = R"({"step":1,"scores":[1],"samples":[]})";
  EXPECT_EQ(refusal(good + "\n"), "");
  EXPECT_EQ(refusal(good), "") << "a torn line";
  const std::vector<std::pair<std::string, std::string>> table{
      {"[]", "[s:1] expected an object of samples, got a list"},
      {R"({"scores":[],"samples":[]})", "[s:1] expected a \"step\", got none"},
      {R"({"step":-1,"scores":[],"samples":[]})", "[s:1] expected a whole \"step\""},
      {R"({"step":1,"samples":[]})", "[s:1] expected a \"scores\", got none"},
      {R"({"step":1,"scores":3,"samples":[]})", "[s:1] expected a list of scores, got a number"},
      {R"({"step":1,"scores":["a"],"samples":[]})", "[s:1] expected a number or null"},
      {R"({"step":1,"scores":[],"samples":{}})", "[s:1] expected a list of samples"},
      {R"({"step":1,"scores":[],"samples":[3]})", "[s:1] expected samples that are objects"},
      {R"({"step":1,"scores":[],"samples":[{"prompt":1}]})", "[s:1] expected a \"length\""},
      {R"({"step":1,"scores":[],"samples":[{"length":1.5}]})", "[s:1] expected a whole \"length\""},
      {R"({"step":1,"scores":[],"samples":[{"length":1,"prompt":1}]})",
       "[s:1] expected text for \"prompt\", got a number"},
      {good + "\n" + good, "[s:2] expected a step after 1, got 1"},
      {good + "\n{", "[s:2] expected"},
  };
  for (const auto& [line, message] : table) {
    const std::string got = refusal(line + "\n");
    EXPECT_TRUE(got.starts_with(message)) << line << ": " << got;
  }
}

class LoggingSamples : public Folder {
 protected:
  static void SetUpTestSuite() {
    Folder::SetUpTestSuite();
    write_data();
    ASSERT_EQ(rlhf(pretrain("lm")).code, 0);
  }
  static Arguments call(const std::string& command, const std::string& output,
                        const Arguments& more) {
    return run_of(command, "lm", "prompts.jsonl", output) + kRewardFunction +
           Arguments{"--total_episodes", "240", "--eval_prompts", "4"} + more;
  }
  static Arguments ppo_call(const std::string& output, const Arguments& more = {}) {
    return call("ppo", output,
                {"--episodes_per_update", "6", "--response_length", "5", "--missing_eos", "keep"}) +
           more;
  }
  static std::vector<int64_t> steps_of(const std::string& run) {
    std::vector<int64_t> steps;
    for (const StepSamples& step : read_samples(at(run) / "samples.jsonl")) {
      steps.push_back(step.step);
    }
    return steps;
  }
};

TEST_F(LoggingSamples, TellsWhatThePolicySaidAndLeavesTheTrainingAlone) {
  succeed(ppo_call("with"));
  succeed(ppo_call("without", {"--log_samples", "0"}));
  succeed(ppo_call("often", {"--log_samples", "3", "--log_samples_steps", "15"}));
  EXPECT_FALSE(fs::exists(at("without") / "samples.jsonl"));
  for (const std::string run : {"without", "often"}) {
    EXPECT_EQ(content_of(at(run) / "model.safetensors"),
              content_of(at("with") / "model.safetensors"));
    EXPECT_EQ(timeless_metrics_of(run), timeless_metrics_of("with"));
  }
  EXPECT_EQ(steps_of("often"), (std::vector<int64_t>{1, 15, 30, 40}));
  EXPECT_EQ(steps_of("with").size(), 21u);

  const std::vector<json> metrics = metrics_of("with");
  for (const StepSamples& step : read_samples(at("with") / "samples.jsonl")) {
    ASSERT_EQ(step.scores.size(), 6u);
    ASSERT_EQ(step.samples.size(), 6u) << "no more than there are";
    double kl = 0, score = 0, length = 0;
    for (size_t i = 0; i < 6; i++) {
      const Sample& sample = step.samples[i];
      EXPECT_TRUE(sample.prompt.starts_with("the ")) << sample.prompt;
      EXPECT_EQ(sample.score, step.scores[i]);
      EXPECT_GE(sample.length, 1);
      kl += sample.kl / 6, score += sample.score / 6, length += double(sample.length) / 6;
    }
    const json& logged = metrics[size_t(step.step - 1)];
    EXPECT_NEAR(kl, double(logged["objective/kl"]), 1e-5);
    EXPECT_NEAR(score, double(logged["objective/scores"]), 1e-5);
  }
}

TEST_F(LoggingSamples, GoesOnWhereAResumedRunDoes) {
  const Arguments whole = ppo_call("resumed", {"--save_steps", "10"});
  succeed(whole);
  const std::string samples = content_of(at("resumed") / "samples.jsonl");
  const Arguments resumed{"ppo", "--resume_from_checkpoint", at("resumed") / "checkpoint-20"};
  succeed(resumed);
  EXPECT_EQ(content_of(at("resumed") / "samples.jsonl"), samples);
  succeed(resumed + Arguments{"--log_samples", "0"});
  EXPECT_EQ(steps_of("resumed").back(), 20) << "the rest is another course of the run";
  succeed(pretrain("resumed"));
  EXPECT_FALSE(fs::exists(at("resumed") / "samples.jsonl")) << "of another run";
}

TEST_F(LoggingSamples, EveryPolicyAlgorithmHasThem) {
  write("instructions.jsonl",
        "{\"instruction\": \"dull \", \"max\": 0.3}\n{\"instruction\": \"fine \", \"min\": 0.3}\n");
  const Arguments groups{"--num_generations", "4"},
      conditions{"--conditions", "dull |fine ", "--steps_per_generation", "4"};
  const Arguments segments{"--subtasks",       "long=length:target=9; short=length:max=1",
                           "--segments",       "3",
                           "--segment_length", "3"};
  const std::vector<std::pair<std::string, Arguments>> calls{
      {"grpo", groups + kShort},
      {"rloo", groups + kShort},
      {"online_dpo", groups + kShort},
      {"raft", groups + kShort},
      {"reinforce", kShort},
      {"actor_critic", kShort},
      {"hierarchical", segments},
      {"reward_conditioned", conditions + kShort},
      {"hir", Arguments{"--instructions", at("instructions.jsonl"), "--steps_per_generation", "4"} +
                  kShort}};
  for (const auto& [command, more] : calls) {
    SCOPED_TRACE(command);
    succeed(run_of(command, "lm", "prompts.jsonl", command) + kRewardFunction + more +
            Arguments{"--total_episodes", "16", "--generation_batch_size", "8", "--eval_prompts",
                      "4", "--log_samples", "2"});
    const std::vector<StepSamples> steps = read_samples(at(command) / "samples.jsonl");
    ASSERT_EQ(steps.size(), 2u);
    for (const StepSamples& step : steps) {
      EXPECT_EQ(step.scores.size(), 8u);
      ASSERT_EQ(step.samples.size(), 2u);
      EXPECT_EQ(step.samples[1].score, step.scores[4]) << "of another group";
      EXPECT_TRUE(step.samples[0].prompt.starts_with("the ")) << step.samples[0].prompt;
    }
  }
}

}  // namespace
}  // namespace rlhf
