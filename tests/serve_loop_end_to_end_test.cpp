// The whole loop: people who vote by a rule that no part of the program sees, over HTTP; learning
// twice from their votes; candidates promoted by blind votes; the last policy better than the first
// by that rule on prompts that nobody voted on; and the way back.
#include "data/demo_corpus.h"
#include "data/gold_sentiment.h"
#include "tests/served_program.h"

namespace rlhf::end_to_end {
namespace {

using namespace std::chrono_literals;
using http_test::Answer, http_test::Client;

class LoopEndToEnd : public Folder {};

/// A person whose taste is the demo's hidden judge.
class Person {
 public:
  Person(Client visitor, std::string name) : visitor_(std::move(visitor)), name_(std::move(name)) {}

  /// Judges what it is given next; false when there is nothing yet.
  bool vote() {
    const json shown = visitor_.post("/api/comparisons/next", json::object()).json();
    if (!shown.contains("lease")) return false;
    const std::string prompt = shown["prompt"]["text"];
    const auto worth = [&](int place) {
      return gold_sentiment(prompt + shown["answers"][size_t(place)]["text"].get<std::string>());
    };
    json vote{{"request_id", name_ + std::to_string(votes_)},
              {"lease", shown["lease"]},
              {"milliseconds", 1000}};
    if (worth(0) == worth(1)) {
      vote["choice"] = "tie";
    } else {
      vote["choice"] = "better";
      vote["place"] = worth(1) > worth(0) ? 1 : 0;
    }
    const Answer saved = visitor_.post("/api/votes", vote);
    EXPECT_EQ(saved.status, 200) << saved.body;
    votes_++;
    return true;
  }

  int votes() const { return votes_; }

 private:
  Client visitor_;
  std::string name_;
  int votes_ = 0;
};

/// Acts until it says that it is done, for at most two minutes.
bool within_time(const std::function<bool()>& done) {
  for (const auto end = std::chrono::steady_clock::now() + 120s;
       std::chrono::steady_clock::now() < end;) {
    if (done()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return false;
}

/// Share of positive texts that the promoted policy writes to prompts that are nowhere else.
double gold_share(const Client& admin, const std::vector<std::string>& prompts) {
  int positive = 0;
  for (size_t first = 0; first < prompts.size(); first += 32) {
    const size_t count = std::min<size_t>(32, prompts.size() - first);
    const json some(
        std::vector(prompts.begin() + int64_t(first), prompts.begin() + int64_t(first + count)));
    const Answer answer = admin.post(
        "/v1/completions", {{"model", "rlhf"}, {"prompt", some}, {"max_tokens", 32}, {"seed", 7}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    const json choices = answer.json()["choices"];
    for (size_t i = 0; i < count; i++) {
      positive += gold_positive(prompts[first + i] + choices[i]["text"].get<std::string>());
    }
  }
  return double(positive) / double(prompts.size());
}

TEST_F(LoopEndToEnd, VotesMakeABetterPolicyTwice) {
  succeed({"demo", "--quick", "--output_dir", at("demo")});
  for (const char* stage : {"pretrain", "sft", "reward", "ppo"}) {
    EXPECT_TRUE(fs::exists(at("demo") / stage / "summary.json")) << stage << " has ended";
  }
  write("dpo.json", R"({"num_train_epochs": 2, "learning_rate": 3e-4, "beta": 0.1})");
  ServedProgram program({"serve",
                         "--model_name_or_path",
                         at("demo/sft"),
                         "--data_dir",
                         at("data"),
                         "--runs_dir",
                         at("runs"),
                         "--prompts",
                         at("demo/data/prompts.jsonl"),
                         "--port",
                         "0",
                         "--rate_limit",
                         "0",
                         "--max_new_tokens",
                         "32",
                         "--ahead",
                         "32",
                         "--candidate_votes",
                         "300",
                         "--dpo_config",
                         at("dpo.json"),
                         "--doubled",
                         "0"},
                        at("server"));
  const Client admin{program.port(), program.token()};
  std::vector<Person> people;
  for (const std::string name : {"ann", "bob"}) {
    const json added = admin.post("/api/people", {{"name", name}, {"role", "annotator"}}).json();
    people.emplace_back(Client{program.port(), added["token"]}, name);
  }
  const auto everybody_votes = [&] {
    for (Person& person : people) person.vote();
  };
  const auto votes = [&] { return people[0].votes() + people[1].votes(); };
  const auto promoted = [&] { return admin.get("/api/versions").json()["promoted"].get<int>(); };

  const std::vector<std::string> unseen = demo_prompts(987654321, 192);
  const int first = promoted();
  const double before = gold_share(admin, unseen);
  const std::string words =
      admin
          .post("/v1/completions",
                {{"model", "rlhf"}, {"prompt", "the film"}, {"max_tokens", 32}, {"seed", 3}})
          .body;
  for (int round = 1; round <= 2; round++) {
    const int start = votes(), serving = promoted();
    ASSERT_TRUE(within_time([&] {
      everybody_votes();
      return votes() >= start + 900;
    })) << program.complaints();
    const Answer began = admin.post("/api/learning", json::object());
    ASSERT_EQ(began.status, 202) << began.body;
    EXPECT_EQ(admin.post("/api/learning", json::object()).status, 409);
    json learning;
    ASSERT_TRUE(within_time([&] {
      learning = admin.get("/api/learning").json();
      return learning["running"].is_null();
    }));
    ASSERT_EQ(learning["history"][0]["state"], "done") << learning["history"][0].dump();
    EXPECT_GT(learning["history"][0]["figures"]["held_out"], 0);
    EXPECT_EQ(learning["since"], 0);
    ASSERT_TRUE(within_time([&] {
      everybody_votes();
      return promoted() != serving;
    })) << admin.get("/api/versions").body;
    EXPECT_EQ(promoted(), learning["history"][0]["result"]);
  }
  const double after = gold_share(admin, unseen);
  RecordProperty("gold_before", std::to_string(before));
  RecordProperty("gold_after", std::to_string(after));
  EXPECT_GT(after, before + 0.15) << before << " -> " << after;

  // A learning is a run like any other.
  const json runs = admin.get("/api/runs").json()["runs"];
  EXPECT_EQ(std::count_if(runs.begin(), runs.end(),
                          [](const json& run) { return run["command"] == "dpo"; }),
            2);
  // And the way back.
  const std::string place = "/api/versions/" + std::to_string(first) + "/promote";
  EXPECT_EQ(admin.post(place, {{"reason", "the first once more"}}).status, 200);
  json again =
      admin
          .post("/v1/completions",
                {{"model", "rlhf"}, {"prompt", "the film"}, {"max_tokens", 32}, {"seed", 3}})
          .json();
  EXPECT_EQ(again["choices"], json::parse(words)["choices"]);
  EXPECT_EQ(program.stop(SIGTERM), 0) << program.complaints();
}

}  // namespace
}  // namespace rlhf::end_to_end
