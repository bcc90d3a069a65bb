// Commands that run inside of a program: heard by functions, stopped by a flag, quiet towards the
// terminal, and with the bits that they have by themselves whatever other threads do meanwhile.
#include "apps/watch.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "apps/cli.h"
#include "apps/print.h"
#include "kernels/cpu/support/gemm_options.h"
#include "nn/generate.h"
#include "rl/checkpoints.h"
#include "rl/model/model_folder.h"
#include "tests/message_of.h"
#include "tests/small_runs.h"

namespace rlhf {
namespace {

using namespace end_to_end;

/// What a watch has heard of a command.
struct Heard {
  int code = -1;
  std::vector<ProgressState> progress;
  std::vector<std::string> results, notes;
};

/// Runs a command on this thread; `stop_after`: it is asked to stop at that step.
Heard run_watched(const Arguments& call, int64_t stop_after = -1, Heard* heard_until = nullptr) {
  Heard own;
  Heard& heard = heard_until ? *heard_until : own;
  Watch watch;
  watch.on_progress = [&](const ProgressState& state) {
    heard.progress.push_back(state);
    if (state.done == stop_after) watch.stop = true;
  };
  watch.on_line = [&](Outlet outlet, const std::string& line) {
    (outlet == Outlet::result ? heard.results : heard.notes).push_back(line);
  };
  heard.code = run_command(call, watch);
  return heard;
}

Heard run_on_a_thread(const Arguments& call, int64_t stop_after = -1) {
  Heard heard;
  std::thread([&] { heard = run_watched(call, stop_after); }).join();
  return heard;
}

std::string weights_of(const std::string& run) { return content_of(at(run) / "model.safetensors"); }

Arguments dpo(const std::string& output, const Arguments& more = {}) {
  return run_of("dpo", "lm", "pairs.jsonl", output) +
         Arguments{"--max_steps", "12", "--learning_rate", "5e-3"} + more;
}

Arguments small_ppo(const std::string& output, const Arguments& more = {}) {
  return run_of("ppo", "lm", "prompts.jsonl", output) + kRewardFunction +
         Arguments{"--total_episodes",  "32", "--episodes_per_update", "8",
                   "--response_length", "6",  "--eval_prompts",        "4"} +
         more;
}

const Arguments kLogAll{"--logging_steps", "1"};

/// The folder lm, which is trained here: nothing of this program starts another.
class Watching : public Folder {
 protected:
  static void SetUpTestSuite() {
    Folder::SetUpTestSuite();
    write_data();
    ASSERT_EQ(run_on_a_thread(pretrain("lm")).code, 0);
  }
  void SetUp() override {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
  }
  void TearDown() override {
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(current_watch(), nullptr);
  }
};

TEST_F(Watching, HearsEveryStepAndWhatWouldBePrinted) {
  const Heard heard = run_on_a_thread(pretrain("heard", kLogAll));
  EXPECT_EQ(heard.code, 0);
  ASSERT_EQ(heard.progress.size(), 30u);
  for (size_t i = 0; i < heard.progress.size(); i++) {
    EXPECT_EQ(heard.progress[i].title, "pretrain");
    EXPECT_EQ(heard.progress[i].done, int64_t(i) + 1);
    EXPECT_EQ(heard.progress[i].total, 30);
    EXPECT_EQ(heard.progress[i].metrics.front().first, "loss");
  }
  EXPECT_GT(heard.progress.back().steps_per_second, 0);
  ASSERT_EQ(heard.results.size(), 1u) << "three pieces of one line";
  EXPECT_TRUE(heard.results[0].starts_with("train_loss ")) << heard.results[0];
  EXPECT_TRUE(heard.results[0].ends_with(" tokens/s")) << heard.results[0];
  ASSERT_FALSE(heard.notes.empty());
  EXPECT_TRUE(heard.notes.front().starts_with("memory: ")) << heard.notes.front();
  EXPECT_TRUE(heard.notes.back().starts_with("wrote ")) << heard.notes.back();
  EXPECT_EQ(weights_of("heard"), weights_of("lm"));
}

TEST_F(Watching, EveryKindOfTrainingIsQuiet) {
  for (const Arguments& call :
       {dpo("dpo"), small_ppo("ppo"), reward("rm", "pairs.jsonl", "pairwise"), sft("sft"),
        run_of("kto", "lm", "pairs.jsonl", "kto") + Arguments{"--max_steps", "4"}}) {
    SCOPED_TRACE(text_of(call));
    const Heard heard = run_on_a_thread(call);
    EXPECT_EQ(heard.code, 0);
    EXPECT_FALSE(heard.progress.empty());
    EXPECT_FALSE(heard.results.empty());
  }
}

TEST_F(Watching, ACommandThatIsStoppedSavesAndGoesOnToTheSameBits) {
  for (const auto& [whole, stopped, step] : std::vector<std::tuple<Arguments, Arguments, int64_t>>{
           {pretrain("whole", kLogAll), pretrain("stopped", kLogAll), 13},
           {dpo("dpo_whole", kLogAll), dpo("dpo_stopped", kLogAll), 5},
           {small_ppo("ppo_whole"), small_ppo("ppo_stopped"), 2}}) {
    SCOPED_TRACE(text_of(whole));
    const auto output_of = [](const Arguments& call) {
      return fs::path(*(std::find(call.begin(), call.end(), "--output_dir") + 1)).filename();
    };
    const std::string folder = output_of(stopped);
    EXPECT_EQ(run_watched(whole).code, 0);
    Heard heard;
    const std::string message =
        message_of<Interrupted>([&] { run_watched(stopped, step, &heard); });
    EXPECT_NE(message.find("asked to stop after step " + std::to_string(step)), std::string::npos)
        << message;
    EXPECT_EQ(heard.progress.back().done, step);
    EXPECT_FALSE(fs::exists(at(folder) / "summary.json"));
    ASSERT_TRUE(fs::exists(at(folder) / ("checkpoint-" + std::to_string(step))));

    const Heard rest =
        run_watched({stopped[0], "--output_dir", at(folder), "--resume_from_checkpoint", "true"});
    EXPECT_EQ(rest.code, 0);
    EXPECT_EQ(rest.progress.front().done, step + 1);
    EXPECT_EQ(weights_of(folder), weights_of(output_of(whole)));
    EXPECT_EQ(timeless_metrics_of(folder), timeless_metrics_of(output_of(whole)));
    EXPECT_EQ(content_of(at(folder) / "samples.jsonl"),
              content_of(at(output_of(whole)) / "samples.jsonl"));
  }
}

TEST_F(Watching, TwoAtOnceHaveTheBitsThatEachHasAlone) {
  const std::vector<Arguments> alone{dpo("alone_dpo"), pretrain("alone_lm", {"--bf16", "true"})};
  const std::vector<Arguments> beside{dpo("beside_dpo"), pretrain("beside_lm", {"--bf16", "true"})};
  for (const Arguments& call : alone) EXPECT_EQ(run_on_a_thread(call).code, 0);
  std::vector<std::thread> threads;
  std::vector<Heard> heard(beside.size());
  for (size_t i = 0; i < beside.size(); i++) {
    threads.emplace_back([&, i] { heard[i] = run_watched(beside[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < beside.size(); i++) {
    EXPECT_EQ(heard[i].code, 0);
    for (const ProgressState& state : heard[i].progress) EXPECT_EQ(state.title, beside[i][0]);
  }
  EXPECT_EQ(weights_of("beside_dpo"), weights_of("alone_dpo"));
  EXPECT_EQ(weights_of("beside_lm"), weights_of("alone_lm"));
  EXPECT_NE(weights_of("beside_lm"), weights_of("lm")) << "products in bfloat16 are others";
}

TEST_F(Watching, AModelThatAnswersMeanwhileSaysTheSame) {
  const LoadedLanguageModel loaded = load_language_model(at("lm").string());
  SamplingOptions options;
  options.max_new_tokens = 12;
  options.seed = 3;
  const Tokens prompt = loaded.tokenizer->encode("the film");
  const auto answer = [&] {
    const std::vector<Tokens> prompts(4, prompt);
    std::vector<Tokens> all;
    for (const Generated& one : generate(loaded.model.transformer, prompts, options)) {
      all.push_back(one.tokens);
    }
    return all;
  };
  const std::vector<Tokens> before = answer();
  std::atomic<bool> learns = true;
  int rounds = 0;
  std::thread learning([&] {
    EXPECT_EQ(run_watched(pretrain("meanwhile", {"--bf16", "true"})).code, 0);
    learns = false;
  });
  do {
    EXPECT_EQ(answer(), before);
    rounds++;
  } while (learns);
  learning.join();
  EXPECT_GT(rounds, 1);
}

TEST_F(Watching, ProductsAreChosenForTheCommandsThreadAlone) {
  EXPECT_EQ(run_on_a_thread(pretrain("rounded", {"--bf16", "true"})).code, 0);
  EXPECT_EQ(run_on_a_thread(pretrain("exact")).code, 0);
  EXPECT_EQ(weights_of("exact"), weights_of("lm"));
  std::thread([] { EXPECT_EQ(cpu::gemm_options().products, cpu::Products::f32); }).join();
}

TEST_F(Watching, WhatIsWrongComesOutAsItIs) {
  EXPECT_THROW(run_watched({"dpo", "--max_stepz", "3"}), InputError);
  EXPECT_THROW(run_watched({"no_such_command"}), InputError);
  EXPECT_THROW(run_watched(run_of("dpo", "missing", "pairs.jsonl", "out")), InputError);
  EXPECT_THROW(run_watched(dpo("out", {"--config", at("missing.yaml")})), InputError);
  EXPECT_FALSE(fs::exists(at("out")));
  Watch watch;
  watch.on_progress = [](const ProgressState&) { throw std::runtime_error("heard enough"); };
  EXPECT_EQ(message_of<std::runtime_error>([&] { run_command(pretrain("thrown"), watch); }),
            "heard enough");
}

TEST_F(Watching, LeavesSignalsToTheProgram) {
  struct sigaction mine {
  }, now{}, before{};
  mine.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGINT, &mine, &before), 0);
  Watch watch;
  watch.on_progress = [&](const ProgressState& state) {
    if (state.done > 1) return;
    sigaction(SIGINT, nullptr, &now);
    EXPECT_EQ(now.sa_handler, mine.sa_handler);
    raise(SIGINT);
  };
  EXPECT_EQ(run_command(pretrain("signals", kLogAll), watch), 0);
  sigaction(SIGINT, &before, &now);
  EXPECT_EQ(now.sa_handler, mine.sa_handler);
}

TEST_F(Watching, LinesAreWhole) {
  Watch watch;
  std::vector<std::string> lines;
  watch.on_line = [&](Outlet outlet, const std::string& line) {
    lines.push_back((outlet == Outlet::result ? "1 " : "2 ") + line);
  };
  {
    const Watched watched(watch);
    EXPECT_THROW(Watched{watch}, Error);
    say("a {}", 1);
    note("\nb\n");
    say(" c\nd\ne");
    show_now();
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"2 b", "1 a 1 c", "1 d"}));
}

}  // namespace
}  // namespace rlhf
