// --resume_from_checkpoint as a person meets it: every command goes on with the bits of a run that
// was never stopped, Ctrl-C saves, and a wrong folder is said in one line.
#include <csignal>
#include <thread>

#include "core/atomic_file.h"
#include "rl/run/checkpoint_folder.h"
#include "tests/paths.h"
#include "tests/small_runs.h"

namespace rlhf {
namespace {

using namespace end_to_end;

class ResumeEndToEnd : public Models {
 protected:
  /// What `pretrain` prints, up to its speed: the last figure.
  static std::string without_speed(const std::string& text) {
    const size_t speed = text.find(" tokens/s");
    return speed == std::string::npos ? text : text.substr(0, text.rfind("  ", speed));
  }

  /// A whole run, and the same cut off after `cut` steps and resumed.
  static void expect_the_same(Arguments (*call)(const std::string&, const Arguments&),
                              int64_t save_steps, int64_t cut) {
    const Arguments often{"--save_steps", std::to_string(save_steps), "--save_total_limit", "9"};
    ASSERT_EQ(rlhf(call("whole", often), 1).code, 0);
    const Finished first = rlhf(call("cut", often), 2);
    ASSERT_EQ(first.code, 0) << first.err;
    for (const int64_t step : checkpoint_steps(at("cut"))) {
      if (step > cut) remove_checkpoint(checkpoint_path(at("cut"), step));
    }
    fs::remove(at("cut") / "model.safetensors");
    const std::string command = call("cut", {})[0];
    const Finished second =
        rlhf({command, "--output_dir", at("cut"), "--resume_from_checkpoint", "true"}, 2);
    ASSERT_EQ(second.code, 0) << second.err;
    EXPECT_EQ(without_speed(second.out), without_speed(first.out)) << "the same figures in the end";
    EXPECT_EQ(content_of(at("cut") / "model.safetensors"),
              content_of(at("whole") / "model.safetensors"));
    EXPECT_EQ(timeless_metrics_of("cut"), timeless_metrics_of("whole"));
    EXPECT_EQ(checkpoint_steps(at("cut")), checkpoint_steps(at("whole")));
    for (const int64_t step : checkpoint_steps(at("whole"))) {
      EXPECT_EQ(content_of(checkpoint_path(at("cut"), step) / "optimizer.safetensors"),
                content_of(checkpoint_path(at("whole"), step) / "optimizer.safetensors"))
          << step;
    }
    for (const char* run : {"whole", "cut"}) fs::remove_all(at(run));
  }

  /// Starts a run, asks it to stop once it has logged to `metrics`, and returns what it said.
  std::string signalled(const Arguments& arguments, const fs::path& metrics) {
    const pid_t child = start_program(rlhf_program, arguments, root);
    while (!fs::exists(metrics) || content_of(metrics).empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    kill(child, SIGTERM);
    EXPECT_EQ(wait_for(child), 128 + SIGTERM);
    return content_of(at("stderr.txt"));
  }
};

TEST_F(ResumeEndToEnd, Pretrain) { expect_the_same(pretrain, 7, 14); }
TEST_F(ResumeEndToEnd, PretrainWithProductsInBfloat16) {
  expect_the_same(
      [](const std::string& output, const Arguments& more) {
        return pretrain(output, more + Arguments{"--device", "cpu", "--bf16"});
      },
      7, 14);
}
TEST_F(ResumeEndToEnd, Sft) { expect_the_same(sft, 3, 6); }
TEST_F(ResumeEndToEnd, Reward) {
  expect_the_same(
      [](const std::string& output, const Arguments& more) {
        return reward(output, "pairs.jsonl", "pairwise", more);
      },
      5, 10);
}
TEST_F(ResumeEndToEnd, Ppo) { expect_the_same(ppo, 1, 2); }

TEST_F(ResumeEndToEnd, ASignalEndsADemo) {
  const std::string said = signalled({"demo", "--quick", "--output_dir", at("demo").string()},
                                     at("demo") / "pretrain" / "metrics.jsonl");
  EXPECT_NE(said.find("rlhf: [signal] expected to reach step"), std::string::npos) << said;
}

TEST_F(ResumeEndToEnd, ASignalSavesAndTheRunGoesOn) {
  const std::string said =
      signalled(pretrain("signalled", {"--max_steps", "1000000", "--save_steps", "0"}),
                at("signalled") / "metrics.jsonl");
  EXPECT_NE(
      said.find("rlhf: [signal] expected to reach step 1000000, got asked to stop after step"),
      std::string::npos)
      << said;
  const std::vector<int64_t> steps = checkpoint_steps(at("signalled"));
  ASSERT_EQ(steps.size(), 1u);
  const Finished more = rlhf({"pretrain", "--resume_from_checkpoint", at("signalled"),
                              "--max_steps", std::to_string(steps[0] + 5)});
  EXPECT_EQ(more.code, 0) << more.err;
  // A checkpoint is a model folder as well.
  EXPECT_EQ(rlhf({"generate", "--model_name_or_path",
                  checkpoint_path(at("signalled"), steps[0]).string(), "--prompt", "the"})
                .code,
            0);
}

TEST_F(ResumeEndToEnd, SaysWhatIsWrongInOneLine) {
  ASSERT_EQ(rlhf(pretrain("good", {"--save_steps", "10"})).code, 0);
  const auto refusal = [&](const Arguments& arguments) {
    Finished run = rlhf(arguments);
    // What the run would need is said before its checkpoint is read.
    if (run.err.starts_with("memory: ")) run.err.erase(0, run.err.find('\n') + 1);
    return refusal_in(run);
  };
  const auto says = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  const std::string resume = "--resume_from_checkpoint";
  says(refusal({"pretrain", resume, "true"}),
       "[--output_dir] expected the folder of the run to resume, got nothing");
  says(refusal({"pretrain", resume, at("nowhere")}),
       "[--resume_from_checkpoint] expected true, a checkpoint or a run's folder");
  {
    const FolderLock somebody_else(at("good"), "test");
    says(refusal({"pretrain", resume, at("good"), "--max_steps", "40"}),
         "[--output_dir] expected a folder that no other process writes to");
  }
  says(refusal({"sft", resume, at("good")}), "expected a run of `rlhf sft`, got one of `rlhf pre");
  says(refusal({"pretrain", resume, at("good"), "--output_dir", at("other")}),
       "the folder of the run that is resumed");
  says(refusal({"pretrain", resume, at("good")}),
       "expected a checkpoint before the run's last step 30, got one after step 30");
  says(refusal({"pretrain", resume, at("good"), "--max_steps", "40", "--dataset_name",
                at("prompts.jsonl"), "--text_column", "prompt"}),
       "[--dataset_name] expected what the run in");
  says(refusal({"pretrain", resume, at("good"), "--max_steps", "40", "--n_layer", "2"}),
       "expected a tensor \"parameter.h.1.ln_1.weight\", got none");
  std::ofstream(at("good") / "checkpoint-20" / "model.safetensors") << "x";
  says(refusal({"pretrain", resume, (at("good") / "checkpoint-20").string()}),
       "model.safetensors] expected the manifest's");
  EXPECT_EQ(content_of(at("good") / "metrics.jsonl").empty(), false) << "nothing was touched";
}

}  // namespace
}  // namespace rlhf
