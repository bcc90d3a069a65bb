// A replica beside a server: it answers with the promoted version, follows promotions, knows the
// same people, and writes nothing.
#include "serve/replica.h"

#include <gtest/gtest.h>

#include <map>

#include "serve/weights_digest.h"
#include "tests/message_of.h"
#include "tests/serving_site.h"

namespace rlhf::serve {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// Four tokens at temperature 0 and the version they came from.
json answer_of(const Client& client, const std::string& model) {
  const Answer answer = client.post("/v1/completions", {{"model", model},
                                                        {"prompt", "abc"},
                                                        {"max_tokens", 4},
                                                        {"temperature", 0},
                                                        {"logprobs", 0}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  const json body = answer.json();
  return {body["model"], body["choices"]};
}

std::vector<std::string> names_of(const Client& client) {
  std::vector<std::string> names;
  const json list = client.get("/v1/models").json();
  for (const json& model : list["data"]) names.push_back(model["id"]);
  return names;
}

/// Without sqlite's index of its journal, which whoever reads takes part in.
std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path& path = entry.path();
    if (entry.is_regular_file() && path.extension() != ".log" &&
        !path.filename().string().ends_with("-shm")) {
      files[path] = content_of(path);
    }
  }
  return files;
}

TEST(ReplicaOfAServer, AnswersWithThePromotedVersionAndFollowsPromotions) {
  Site site;
  const std::string token =
      site.admin().post("/api/people", {{"name", "ann"}, {"role", "annotator"}}).json()["token"];
  Replica replica(site_options(site.folder()));
  const Client server{site.app().server->port(), token}, beside{replica.port(), token};
  const std::vector<std::string> first{"rlhf", "rlhf-v1"}, second{"rlhf", "rlhf-v2"};
  EXPECT_EQ(names_of(server), first);
  EXPECT_EQ(names_of(beside), first);
  const json before = answer_of(beside, "rlhf");
  EXPECT_EQ(before, answer_of(server, "rlhf"));
  EXPECT_EQ(before, answer_of(server, "rlhf-v1"));

  const fs::path path = site.folder() / "better";
  save_tiny_model(path, 2);
  const int64_t better = store::add_version(
      site.app().store, store::the_program,
      {.parent = 1, .path = path, .digest = weights_digest(path), .method = "dpo"});
  const std::string place = "/api/versions/" + std::to_string(better) + "/promote";
  ASSERT_EQ(site.admin().post(place, {{"reason", "a test"}}).status, 200);
  for (int i = 0; i < 1000 && names_of(beside) != second; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(names_of(beside), second);
  EXPECT_EQ(answer_of(beside, "rlhf"), answer_of(server, "rlhf"));
  EXPECT_NE(answer_of(beside, "rlhf"), before);
}

TEST(ReplicaOfAServer, KnowsItsPeople) {
  Site site;
  const Answer added = site.admin().post("/api/people", {{"name", "ann"}, {"role", "annotator"}});
  Replica replica(site_options(site.folder()));
  const Client ann{replica.port(), added.json()["token"]};
  EXPECT_EQ(ann.get("/v1/models").status, 200);
  EXPECT_EQ(Client{replica.port()}.get("/v1/models").status, 401);
  EXPECT_EQ(Client{replica.port()}.get("/health").status, 200);
  const std::string place = "/api/people/" + added.json()["id"].dump();
  ASSERT_EQ(site.admin().post(place, {{"active", false}}).status, 200);
  EXPECT_EQ(ann.get("/v1/models").status, 401) << "from that moment";
}

TEST(ReplicaOfAServer, WritesNothingAndHasNoRouteThatWould) {
  Site site;
  const Client ann = site.annotator("ann");
  Replica replica(site_options(site.folder()));
  const auto before = files_in(site.folder());
  const Client beside{replica.port(), ann.token};
  for (const char* place : {"/api/comparisons/next", "/api/votes", "/api/prompts", "/api/session",
                            "/api/people", "/api/learning"}) {
    EXPECT_EQ(beside.post(place, json::object()).status, 404) << place;
  }
  EXPECT_EQ(beside.get("/").status, 404);
  answer_of(beside, "rlhf");
  replica.stop(std::chrono::milliseconds(100));
  EXPECT_EQ(files_in(site.folder()), before);
}

TEST(ReplicaOfAServer, NeedsAServersDatabase) {
  TemporaryFolder folder;
  const std::string message = message_of<InputError>([&] { Replica(site_options(folder)); });
  EXPECT_NE(message.find("feedback.db] expected a database, found none"), message.npos) << message;
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace rlhf::serve
