// Comparing over HTTP: from prompts to votes and back out as files that training reads.
#include <gtest/gtest.h>

#include "data/datasets.h"
#include "serve/store/versions.h"
#include "serve/weights_digest.h"
#include "tests/serving_site.h"

namespace rlhf::serve {
namespace {

using nlohmann::json;

json vote_on(const json& shown, const std::string& id, int place) {
  return {{"request_id", id}, {"lease", shown["lease"]}, {"choice", "better"},     {"place", place},
          {"strength", 2},    {"milliseconds", 1500},    {"note", "because of it"}};
}

TEST(Votes, ComeBackAsPreferences) {
  Site site;
  site.add_prompts({"abc", "bad cafe", "a b c"});
  const Client ann = site.annotator("ann");
  const json shown = Site::next(ann);
  ASSERT_EQ(shown["answers"].size(), 2u);
  EXPECT_FALSE(shown.contains("purpose"));
  EXPECT_FALSE(shown["answers"][0].contains("version"));
  const Answer saved = ann.post("/api/votes", vote_on(shown, "v1", 1));
  ASSERT_EQ(saved.status, 200) << saved.body;
  EXPECT_EQ(saved.json()["mine"], 1);
  // A retry is the same vote; another vote on it is refused.
  EXPECT_EQ(ann.post("/api/votes", vote_on(shown, "v1", 1)).json()["vote"], saved.json()["vote"]);
  EXPECT_EQ(ann.post("/api/votes", vote_on(shown, "v2", 0)).status, 409);

  const Answer rows = site.admin().get("/api/export/preferences.jsonl");
  ASSERT_EQ(rows.status, 200);
  std::ofstream(site.folder() / "p.jsonl") << rows.body;
  const auto pairs = read_preferences(site.folder() / "p.jsonl");
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].prompt, shown["prompt"]["text"]);
  EXPECT_EQ(pairs[0].chosen, shown["answers"][1]["text"]);
  EXPECT_EQ(pairs[0].rejected, shown["answers"][0]["text"]);
}

TEST(Votes, CanBeTakenBack) {
  Site site;
  site.add_prompts({"abc", "bad"});
  const Client ann = site.annotator("ann");
  const json shown = Site::next(ann);
  ann.post("/api/votes", vote_on(shown, "v1", 0));
  const Answer undone = ann.post("/api/votes/undo", {{"request_id", "u1"}});
  ASSERT_EQ(undone.status, 200) << undone.body;
  EXPECT_EQ(undone.json()["answers"], shown["answers"]);  // the same order
  EXPECT_EQ(site.admin().get("/api/export/preferences.jsonl").body, "");
  EXPECT_EQ(ann.post("/api/votes/undo", {{"request_id", "u2"}}).status, 409);
}

TEST(Votes, AnswersCanBeMadeAgainFromTheirSeeds) {
  Site site;
  site.add_prompts({"abc"});
  const Client ann = site.annotator("ann");
  ann.post("/api/votes", vote_on(Site::next(ann), "v1", 0));
  const json row = json::parse(site.admin().get("/api/export/log.jsonl").body);
  const Policy policy = site.app().policies.promoted();
  for (const json& answer : row["answers"]) {
    SamplingOptions sampling{.max_new_tokens = answer["sampling"]["max_tokens"],
                             .temperature = answer["sampling"]["temperature"],
                             .stop_tokens = policy.model->stop_tokens,
                             .seed = answer["sampling"]["seed"]};
    const std::vector<Tokens> prompt{policy.model->tokenizer->encode("abc")};
    const auto again = generate(policy.model->model.transformer, prompt, sampling);
    EXPECT_EQ(policy.model->tokenizer->decode(again[0].tokens), answer["text"]) << row.dump();
  }
}

TEST(Votes, PromptsAreImportedOnceAndWrongLinesNamed) {
  Site site;
  const std::string lines = "{\"prompt\":\"abc\"}\nnonsense\n{\"prompt\":\"abc\"}\n{\"other\":1}\n";
  const json done =
      site.admin()
          .ask("POST", "/api/prompts", lines, "Content-Type: application/x-ndjson\r\n")
          .json();
  EXPECT_EQ(done["added"], 1);
  EXPECT_EQ(done["duplicates"], 1);
  ASSERT_EQ(done["refused"].size(), 2u);
  EXPECT_EQ(done["refused"][0]["line"], 2);
  EXPECT_EQ(done["refused"][1]["line"], 4);
}

TEST(Votes, ProgressCounts) {
  Site site;
  site.add_prompts({"abc", "bad", "cab"});
  const Client ann = site.annotator("ann");
  for (int i = 0; i < 3; i++) {
    const Answer saved = ann.post("/api/votes", vote_on(Site::next(ann), std::to_string(i), 0));
    ASSERT_EQ(saved.status, 200) << saved.body;
  }
  const json progress = ann.get("/api/progress").json();
  EXPECT_EQ(progress["mine"], 3);
  EXPECT_EQ(progress["prompts"], 3);
  EXPECT_EQ(progress["position"]["left"], 3);
  EXPECT_EQ(progress["my"]["median_seconds"], 1.5);
  const json all = site.admin().get("/api/statistics").json();
  EXPECT_EQ(all["people"][0]["votes"], 3);
}

TEST(Votes, AVersionServesByDecisionAndCanBeRolledBackToItsBits) {
  Site site;
  const std::filesystem::path other = site.folder() / "other";
  save_tiny_model(other, 2);
  store::Store& db = site.app().store;
  const int64_t first = site.app().policies.promoted().version;
  const int64_t second = store::add_version(
      db, store::the_program,
      {.parent = first, .path = other, .digest = weights_digest(other), .method = "dpo"});
  const auto said = [&] {
    const Answer answer = site.admin().post(
        "/v1/completions", {{"model", "rlhf"}, {"prompt", "abc"}, {"max_tokens", 12}, {"seed", 5}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json()["choices"][0]["text"].get<std::string>();
  };
  const auto promote = [&](int64_t version) {
    return site.admin().post("/api/versions/" + std::to_string(version) + "/promote",
                             {{"reason", "a test"}});
  };
  const std::string before = said();
  EXPECT_NE(site.admin().get("/metrics").body.find("rlhf_requests_running{model=\"rlhf-v1\"}"),
            std::string::npos);
  ASSERT_EQ(promote(second).status, 200);
  EXPECT_NE(said(), before);
  const std::string metrics = site.admin().get("/metrics").body;
  EXPECT_NE(metrics.find("rlhf_requests_running{model=\"rlhf-v2\"}"), std::string::npos);
  EXPECT_EQ(metrics.find("rlhf_requests_running{model=\"rlhf-v1\"}"), std::string::npos) << "gone";
  EXPECT_EQ(metrics.find("rlhf_kv_cache_usage_ratio{model=\"rlhf-v1\"}"), std::string::npos);
  ASSERT_EQ(promote(first).status, 200);
  EXPECT_EQ(said(), before);
  EXPECT_EQ(promote(first).status, 409);
  EXPECT_EQ(promote(99).status, 404);
  const json all = site.admin().get("/api/versions").json();
  EXPECT_EQ(all["promoted"], first);
  EXPECT_EQ(all["decisions"][0]["what"], "roll_back");
  EXPECT_EQ(all["decisions"][0]["reason"], "a test");
  // What has changed on the disk does not serve.
  save_tiny_model(other, 3);
  EXPECT_EQ(promote(second).status, 400);
  EXPECT_EQ(site.app().policies.promoted().version, first);
}

TEST(Votes, MetricsCountWhatTheEngineDid) {
  Site site;
  const json asked{{"model", "rlhf"}, {"prompt", "abc"}, {"max_tokens", 6}, {"seed", 5}};
  const json usage = site.admin().post("/v1/completions", asked).json()["usage"];
  const std::string text = site.admin().get("/metrics").body;
  const std::string model = "{model=\"rlhf-v1\"} ";
  for (const std::string& line :
       {"rlhf_generation_tokens_total" + model + usage["completion_tokens"].dump() + "\n",
        "rlhf_time_to_first_token_seconds_count" + model + "1\n",
        std::string("# TYPE rlhf_time_to_first_token_seconds histogram\n")}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace rlhf::serve
