// `rlhf gym` as a person meets it: every algorithm learns, is saved, loaded and resumed, several
// seeds make one page, and what does not go together is said in one line.
#include "rl/run/checkpoint_folder.h"
#include "tests/end_to_end.h"

namespace rlhf {
namespace {

using namespace end_to_end;

/// A short run of each algorithm.
struct Short {
  std::string algo, env;
  Arguments flags;
  std::string save_steps;
  int64_t cut;  ///< the checkpoint to go on from
};

const std::vector<Short> kShort{
    {"q_learning", "FrozenLake-v1", {"--total_timesteps", "9000"}, "3000", 3000},
    {"sarsa", "CliffWalking-v1", {"--total_timesteps", "9000"}, "3000", 6000},
    {"expected_sarsa", "Taxi-v3", {"--total_timesteps", "9000"}, "3000", 3000},
    {"hierarchical", "Taxi-v3", {"--total_timesteps", "9000"}, "4000", 4000},
    {"dqn",
     "CartPole-v1",
     {"--total_timesteps", "4000", "--learning_starts", "500", "--loss", "huber"},
     "150",
     150},
    {"her",
     "BitFlip-v0",
     {"--total_timesteps", "3000", "--strategy", "episode", "--env_option", "n_bits=5"},
     "300",
     300},
    {"reinforce", "CartPole-v1", {"--total_timesteps", "6000", "--num_steps", "1000"}, "2", 2},
    {"actor_critic", "CartPole-v1", {"--total_timesteps", "4000"}, "200", 200},
    {"a2c", "CartPole-v1", {"--total_timesteps", "8000"}, "100", 100},
    {"ppo", "FrozenLake-v1", {"--total_timesteps", "4096", "--hidden", "16"}, "2", 4},
    {"ppo",
     "CartPole-v1",
     {"--total_timesteps", "4096", "--normalize_observation", "true", "--normalize_reward", "true"},
     "2",
     4},
    {"hindsight_feedback",
     "CartPole-v1",
     {"--total_timesteps", "6000", "--num_steps", "1000"},
     "2",
     2}};

class GymEndToEnd : public Folder {
 protected:
  static Arguments train(const Short& s, const std::string& output) {
    return Arguments{"gym",  "--env",        s.env,       "--algo",
                     s.algo, "--output_dir", at(output),  "--eval_episodes",
                     "20",   "--save_steps", s.save_steps} +
           s.flags;
  }
};

TEST_F(GymEndToEnd, EveryAlgorithmIsSavedLoadedAndResumed) {
  for (const Short& s : kShort) {
    SCOPED_TRACE(s.algo);
    const Finished whole = rlhf(train(s, "whole"), 1);
    ASSERT_EQ(whole.code, 0) << whole.err;
    const json summary = summary_of("whole");
    EXPECT_EQ(summary["algo"], s.algo);
    EXPECT_EQ(summary["eval_episodes"], 20);
    EXPECT_GT(summary["episodes"], 0);
    EXPECT_EQ(summary.contains("exact_return"), s.env != "CartPole-v1" && s.env != "BitFlip-v0");
    EXPECT_FALSE(timeless_metrics_of("whole").empty());

    const Finished loaded = rlhf({"gym", "--load", at("whole"), "--eval_episodes", "20"});
    ASSERT_EQ(loaded.code, 0) << loaded.err;
    EXPECT_NE(loaded.out.find(whole.out), std::string::npos)
        << "the same agent in the same episodes: " << whole.out << loaded.out;

    ASSERT_EQ(rlhf(train(s, "cut"), 2).code, 0);
    for (const int64_t step : checkpoint_steps(at("cut"))) {
      if (step > s.cut) remove_checkpoint(checkpoint_path(at("cut"), step));
    }
    ASSERT_EQ(checkpoint_steps(at("cut")).back(), s.cut);
    fs::remove(at("cut") / "model.safetensors");
    const Finished rest =
        rlhf({"gym", "--output_dir", at("cut"), "--resume_from_checkpoint", "true"}, 2);
    ASSERT_EQ(rest.code, 0) << rest.err;
    EXPECT_EQ(rest.out, whole.out);
    EXPECT_EQ(content_of(at("cut") / "model.safetensors"),
              content_of(at("whole") / "model.safetensors"));
    EXPECT_EQ(timeless_metrics_of("cut"), timeless_metrics_of("whole"));
    for (const char* run : {"whole", "cut"}) fs::remove_all(at(run));
  }
}

TEST_F(GymEndToEnd, SeveralSeedsMakeOnePage) {
  const Finished done =
      rlhf({"gym", "--env", "CliffWalking-v1", "--algo", "expected_sarsa", "--total_timesteps",
            "20000", "--seeds", "1,5", "--output_dir", at("seeds")});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find("over seeds"), std::string::npos) << done.out;
  const json summary = summary_of("seeds");
  ASSERT_EQ(summary["seeds"].size(), 2u);
  EXPECT_EQ(summary["seeds"][1]["seed"], 5);
  const json one = summary_of("seeds/seed-5");
  EXPECT_EQ(one["eval_return"], summary["seeds"][1]["eval_return"]);
  EXPECT_NE(content_of(at("seeds") / "report.html").find("mean over seeds"), std::string::npos);
  const std::string page = content_of(at("seeds") / "seed-1" / "report.html");
  EXPECT_NE(page.find("Greedy policy"), std::string::npos);
  EXPECT_NE(page.find("→"), std::string::npos);

  // A run of one seed is the same as that seed among several, and takes an option of Gymnasium's.
  ASSERT_EQ(rlhf({"gym", "--env", "CliffWalking-v1", "--env_option", "is_slippery=false", "--algo",
                  "expected_sarsa", "--total_timesteps", "20000", "--seed", "5", "--output_dir",
                  at("five")})
                .code,
            0);
  EXPECT_EQ(content_of(at("five") / "model.safetensors"),
            content_of(at("seeds") / "seed-5" / "model.safetensors"));
}

TEST_F(GymEndToEnd, SaysInOneLineWhatDoesNotGoTogether) {
  const Arguments base{"gym", "--env", "CartPole-v1", "--output_dir", at("out")};
  EXPECT_EQ(refusal(base + Arguments{"--algo", "q_learning"}),
            "rlhf: [--algo] expected one of dqn, reinforce, actor_critic, a2c, ppo, "
            "hindsight_feedback for CartPole-v1, got q_learning, which learns in environments of "
            "numbered states\n");
  const std::string lacks = refusal(base + Arguments{"--algo", "ppo", "--start_e", "1"});
  EXPECT_NE(lacks.find("[--start_e] expected a hyper-parameter of ppo (--total_timesteps, "),
            std::string::npos)
      << lacks;
  EXPECT_NE(refusal(base + Arguments{"--algo", "pp"}).find("did you mean ppo?"), std::string::npos);
  EXPECT_NE(refusal({"gym", "--env", "CartPol-v1", "--algo", "ppo", "--output_dir", at("out")})
                .find("did you mean CartPole-v1?"),
            std::string::npos);
  const Arguments ppo = base + Arguments{"--algo", "ppo"};
  EXPECT_EQ(refusal(ppo + Arguments{"--env_option", "slippery"}),
            "rlhf: [--env_option] expected key=value, got \"slippery\"\n");
  EXPECT_EQ(refusal(ppo + Arguments{"--gamma", "2"}),
            "rlhf: [--gamma] expected a number from 0 to 1, got \"2\"\n");
  EXPECT_EQ(refusal(ppo + Arguments{"--seeds", "1,1"}),
            "rlhf: [--seeds] expected different whole numbers as in 1,2,3, got \"1,1\"\n");
  EXPECT_EQ(refusal(ppo + Arguments{"--hidden", "8,x"}),
            "rlhf: [--hidden] expected whole numbers from 1 to 65536 as in 64,64, got \"8,x\"\n");
  const std::string dqn =
      refusal({"gym", "--env", "FrozenLake-v1", "--algo", "dqn", "--output_dir", at("out")});
  EXPECT_NE(dqn.find("got dqn, which learns in environments of vectors and goals"),
            std::string::npos)
      << dqn;
  EXPECT_EQ(refusal({"gym", "--env", "CartPole-v1", "--output_dir", at("out")}),
            "rlhf: [--algo] expected an algorithm, as ppo, got nothing\n");
  EXPECT_EQ(refusal(ppo + Arguments{"--learning_rate", ""}),
            "rlhf: [--learning_rate] expected X, got \"\"\n");
}

TEST_F(GymEndToEnd, ADamagedAgentIsToldOf) {
  const Finished done = rlhf({"gym", "--env", "FrozenLake-v1", "--algo", "sarsa",
                              "--total_timesteps", "1000", "--output_dir", at("agent")});
  ASSERT_EQ(done.code, 0) << done.err;
  const Arguments load{"gym", "--load", at("agent")};
  EXPECT_EQ(refusal(load + Arguments{"--learning_rate", "0.1"}),
            "rlhf: [--learning_rate] expected none beside --load, whose agent has its own, got "
            "\"0.1\"\n");
  EXPECT_EQ(checkpoint_steps(at("agent")), (std::vector<int64_t>{800, 900, 1000}))
      << "a tenth of the run each, of which three are kept";
  EXPECT_NE(refusal(load + Arguments{"--env", "FrozenLake8x8-v1"})
                .find("expected \"q\" of shape (64, 4), got (16, 4)"),
            std::string::npos);
  const Finished dry = rlhf(load + Arguments{"--env_option", "is_slippery=false"});
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_NE(dry.out.find("optimum 1.0000"), std::string::npos) << dry.out;
  for (const char* text : {"", "{}", "[1]", R"({"algo":3})", R"({"algo":"sarsa","env":"Taxi-v3"})",
                           R"({"algo":"sarsa","env":"FrozenLake-v1","env_options":3,"seed":1,)"
                           R"("hyperparameters":{}})",
                           R"({"algo":"sarsa","env":"FrozenLake-v1","env_options":{},"seed":1,)"
                           R"("hyperparameters":{"clip_coef":1}})"}) {
    write("agent/config.json", text);
    refusal(load);
  }
}

}  // namespace
}  // namespace rlhf
