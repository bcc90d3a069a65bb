// `rlhf ppo` as a process: presets and who overrides whom, rewards that are functions, resuming.
#include <algorithm>
#include <cmath>

#include "rl/ppo_presets.h"
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

class PpoEndToEnd : public Models {
 protected:
  static Arguments functions_only(const std::string& output, const Arguments& more = {}) {
    Arguments call = ppo(output, more);
    const auto model = std::find(call.begin(), call.end(), "--reward_model_path");
    call.erase(model, model + 2);
    return call;
  }
};

TEST_F(PpoEndToEnd, EveryPresetTrains) {
  for (const PpoPreset& preset : ppo_presets()) {
    const std::string name(preset.name);
    succeed(ppo("preset_" + name, {"--preset", name, "--num_mini_batches", "1"}));
    const json flags = flags_of("preset_" + name);
    for (const auto& [flag, value] : preset.values) {
      ASSERT_TRUE(flags.contains(flag)) << name << " " << flag;
      if (flag == "total_episodes" || flag == "episodes_per_update" || flag == "response_length" ||
          flag == "num_mini_batches") {
        continue;  // given above
      }
      const json& set = flags[std::string(flag)];
      if (set.is_number()) {
        EXPECT_DOUBLE_EQ(set.get<double>(), std::stod(std::string(value))) << name << " " << flag;
      } else {
        EXPECT_EQ(set.is_string() ? set.get<std::string>() : set.dump(), value) << flag;
      }
    }
  }
}

TEST_F(PpoEndToEnd, FlagsWinOverTheConfigFileThatWinsOverThePresetThatWinsOverDefaults) {
  std::ofstream(at("ppo.yaml")) << "preset: oai\nkl_target: 3\ntemperature: 0.9\n";
  succeed(ppo("precedence", {"--config", at("ppo.yaml"), "--temperature", "1"}));
  const json flags = flags_of("precedence");
  EXPECT_EQ(flags["temperature"], 1) << "typed";
  EXPECT_EQ(flags["kl_target"], 3) << "the file's";
  EXPECT_EQ(flags["kl_coef"], 0.15) << "the preset's";
  EXPECT_EQ(flags["dual_clip"], 0) << "the default";
  EXPECT_EQ(flags["episodes_per_update"], 8) << "typed";
  expect_refused(ppo("out", {"--preset", "openai"}),
                 "[--preset] expected one of oai|trl|nplus|ppo_max, got \"openai\"");
}

TEST_F(PpoEndToEnd, LearnsFromFunctionsAlone) {
  succeed(functions_only("functions",
                         {"--reward_funcs", "keyword:good|fine", "--reward_funcs",
                          "length:target=6;regex:\\.$", "--reward_weights", "1,0.5,-0.25"}));
  EXPECT_EQ(flags_of("functions")["reward_funcs"],
            (json{"keyword:good|fine", "length:target=6;regex:\\.$"}));
  for (const json& line : metrics_of("functions")) {
    for (const char* name : {"keyword", "length", "regex"}) {
      EXPECT_TRUE(line.contains("rewards/" + std::string(name) + "/mean")) << name;
    }
    const double sum = line["rewards/keyword/mean"].get<double>() +
                       0.5 * line["rewards/length/mean"].get<double>() -
                       0.25 * line["rewards/regex/mean"].get<double>();
    EXPECT_NEAR(line["objective/raw_scores"].get<double>(), sum, 1e-9);
  }
  const json summary = summary_of("functions");
  EXPECT_TRUE(summary["alarms"].is_object());
  EXPECT_NE(content_of(at("functions") / "report.html").find("Alarms"), std::string::npos);
}

TEST_F(PpoEndToEnd, ACommandSeesTheRowsOfThePrompts) {
  std::ofstream rows(at("answers.jsonl"));
  for (int i = 0; i < 8; i++) {
    rows << json{{"prompt", "the film"}, {"answer", i}, {"reference", " is good"}}.dump() << "\n";
  }
  rows.close();
  std::ofstream(at("judge.py"))
      << "import json, sys\nfor line in sys.stdin:\n  q = json.loads(line)\n"
         "  print(json.dumps([float(a) for a in q['answer']]), flush=True)\n";
  succeed(functions_only("command", {"--dataset_name", at("answers.jsonl"), "--reward_funcs",
                                     "command:python3 " + std::string(at("judge.py")),
                                     "--reward_funcs", "rouge", "--reward_weights", "1,0"}));
  // Eight rows, eight episodes an update: each answer once.
  for (const json& line : metrics_of("command")) EXPECT_EQ(line["rewards/command/mean"], 3.5);
}

TEST_F(PpoEndToEnd, ResumesToTheSameBytes) {
  const Arguments options{"--reward_funcs",
                          "keyword:good|fine",
                          "--score_scaling",
                          "mean_deviation",
                          "--critic_warmup_updates",
                          "1",
                          "--target_kl",
                          "0.02",
                          "--learning_rate",
                          "3e-3",
                          "--normalize_reward_model",
                          "reference",
                          "--normalize_samples",
                          "16",
                          "--ptx_dataset_name",
                          at("sft.jsonl"),
                          "--ptx_coef",
                          "0.1",
                          "--save_steps",
                          "1",
                          "--preset",
                          "nplus"};
  succeed(ppo("whole", options));
  succeed(ppo("parts", options));
  fs::remove_all(at("parts") / "checkpoint-3");
  fs::remove_all(at("parts") / "checkpoint-2");
  succeed({"ppo", "--output_dir", at("parts"), "--resume_from_checkpoint", "true"});
  EXPECT_EQ(content_of(at("parts") / "model.safetensors"),
            content_of(at("whole") / "model.safetensors"));
  EXPECT_EQ(timeless_metrics_of("parts"), timeless_metrics_of("whole"));
}

TEST_F(PpoEndToEnd, NormalisesTheRewardModelToTheReference) {
  succeed(ppo("normalised", {"--normalize_reward_model", "reference", "--normalize_samples", "400",
                             "--eval_prompts", "36", "--learning_rate", "0"}));
  const json summary = summary_of("normalised");
  EXPECT_NEAR(summary["score_before"].get<double>(), 0, 0.6);
  EXPECT_GT(summary["reward_gain"], 0);
  for (const json& line : metrics_of("normalised")) {
    EXPECT_GT(line["rewards/model/std"], 0.3);
    EXPECT_LT(line["rewards/model/std"], 2);
  }
  succeed(ppo("centred", {"--normalize_reward_model", "demonstrations", "--demonstrations_name",
                          at("sft.jsonl"), "--learning_rate", "0"}));
  EXPECT_TRUE(summary_of("centred").contains("reward_bias"));
  EXPECT_FALSE(summary_of("centred").contains("reward_gain"));
}

TEST_F(PpoEndToEnd, WarnsOnStderrOfWhatLooksWrong) {
  const Finished done =
      rlhf(functions_only("flat", {"--reward_funcs", "keyword:zzz", "--missing_eos", "keep"}));
  EXPECT_EQ(done.code, 0);
  EXPECT_NE(done.err.find("rlhf: alarm: update 2: all scores of the update are"), std::string::npos)
      << done.err;
  EXPECT_EQ(summary_of("flat")["alarms"]["reward_flat"], 2);
}

// The judge is asked when the run has begun, whose folder stays.
TEST_F(PpoEndToEnd, SaysInOneLineThatAJudgeHasGone) {
  const Finished done = rlhf(functions_only("left", {"--reward_funcs", "command:exit 3"}));
  EXPECT_EQ(done.code, 2);
  EXPECT_EQ(done.err,
            "rlhf: [command:exit 3] expected one JSON line for each, but it exited with code 3\n");
}

TEST_F(PpoEndToEnd, RefusesInOneLine) {
  expect_refused(functions_only("out"), "[--reward_model_path] expected a reward model or");
  expect_refused(functions_only("out", {"--reward_funcs", "lenght"}), "[--reward_funcs]");
  expect_refused(functions_only("out", {"--reward_funcs", "rouge"}), "\"reference\"");
  expect_refused(functions_only("out", {"--reward_funcs", "keyword:a", "--reward_weights", "1,2"}),
                 "[--reward_weights] expected one for each of 1 functions, got 2");
  expect_refused(functions_only("out", {"--reward_funcs", "keyword:a", "--critic", "reward"}),
                 "[--critic]");
  expect_refused(functions_only("out", {"--reward_funcs", "keyword:a", "--normalize_reward_model",
                                        "reference"}),
                 "[--normalize_reward_model]");
  expect_refused(ppo("out", {"--top_p", "0.9"}), "[--top_p] expected no filter beside a KL");
  expect_refused(ppo("out", {"--stop_token", "film"}), "[--stop_token] expected the text of one");
  expect_refused(ppo("out", {"--ptx_coef", "0.1"}), "[--ptx_coef]");
  expect_refused(ppo("out", {"--truncate_after", "8"}), "[--truncate_after]");
  expect_refused(ppo("out", {"--dual_clip", "1"}), "[--dual_clip]");
}

}  // namespace
}  // namespace rlhf::end_to_end
