// `rlhf serve` killed in the middle of learning from votes: the next start goes on, to the bits of
// a run of the same command that nobody has killed.
#include "tests/served_program.h"
#include "tests/small_runs.h"

namespace rlhf::end_to_end {
namespace {

using http_test::Answer, http_test::Client;

class LearningEndToEnd : public Folder {};

TEST_F(LearningEndToEnd, AKilledOneGoesOnToTheSameBits) {
  write_data();
  succeed(pretrain("lm"));
  const json settings{{"max_steps", 300}, {"save_steps", 10}, {"learning_rate", 1e-3}};
  write("dpo.json", settings.dump());
  std::string asked;
  for (const std::string noun : {"film", "plot", "cast", "score"}) {
    for (const std::string rest : {"", " is", " is good"}) {
      asked += json{{"prompt", "the " + noun + rest}}.dump() + "\n";
    }
  }
  write("asked.jsonl", asked);
  const Arguments call{"serve",
                       "--model_name_or_path",
                       at("lm"),
                       "--data_dir",
                       at("data"),
                       "--runs_dir",
                       at("runs"),
                       "--prompts",
                       at("asked.jsonl"),
                       "--port",
                       "0",
                       "--rate_limit",
                       "0",
                       "--dpo_config",
                       at("dpo.json"),
                       "--max_new_tokens",
                       "4"};
  {
    ServedProgram program(call, at("first"));
    const Client admin{program.port(), program.token()};
    int votes = 0;
    for (int tries = 0; votes < 8 && tries < 5000; tries++) {
      const json shown = admin.post("/api/comparisons/next", json::object()).json();
      if (!shown.contains("lease")) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      const json vote{{"request_id", std::to_string(votes)},
                      {"lease", shown["lease"]},
                      {"choice", "better"},
                      {"place", votes % 2},
                      {"milliseconds", 1}};
      ASSERT_EQ(admin.post("/api/votes", vote).status, 200);
      votes++;
    }
    ASSERT_EQ(votes, 8);
    ASSERT_EQ(admin.post("/api/learning", json::object()).status, 202);
    for (;;) {
      const json now = admin.get("/api/learning").json();
      ASSERT_FALSE(now["running"].is_null()) << now.dump();
      if (now["running"]["done"] >= 20) break;
    }
    program.stop(SIGKILL);
  }
  EXPECT_FALSE(fs::exists(at("runs/learning/learning-1/dpo/summary.json")));
  {
    ServedProgram program(call, at("second"));
    const Client admin{program.port(), program.token()};
    json now;
    for (int i = 0; i < 6000; i++) {
      now = admin.get("/api/learning").json();
      if (now["running"].is_null()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_EQ(now["history"][0]["state"], "done") << now.dump() << program.complaints();
    EXPECT_EQ(now["history"][0]["figures"]["interrupted"], 1);
    EXPECT_EQ(admin.get("/api/audit").json().dump().find("learning_interrupted"),
              std::string::npos);
    EXPECT_NE(admin.get("/api/audit").json().dump().find("resume_learning"), std::string::npos);
    EXPECT_EQ(program.stop(SIGTERM), 0);
  }
  const json flags = flags_of("runs/learning/learning-1/dpo");
  Arguments whole = run_of("dpo", "lm", "runs/learning/learning-1/preferences.jsonl", "whole") +
                    Arguments{"--config", at("dpo.json"), "--seed", flags["seed"].dump()};
  if (const std::string held_out = flags["eval_dataset_name"]; !held_out.empty()) {
    whole = whole + Arguments{"--eval_dataset_name", held_out};
  }
  succeed(whole);
  EXPECT_EQ(content_of(at("runs/learning/learning-1/dpo/model.safetensors")),
            content_of(at("whole/model.safetensors")));
}

}  // namespace
}  // namespace rlhf::end_to_end
