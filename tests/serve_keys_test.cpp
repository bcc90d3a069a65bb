// What SECURITY.md says of keys, and who on the machine may read what the server keeps.
#include <gtest/gtest.h>

#include "serve/store/sqlite.h"
#include "tests/serving_site.h"

namespace rlhf::serve {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

Answer sign_in(Site& site, const json& who) { return site.nobody().post("/api/session", who); }

TEST(Keys, CookiesAreForThisSiteAloneAndForTlsBehindAProxy) {
  for (const bool behind_proxy : {false, true}) {
    Site site([&](ApplicationOptions& options) { options.http.behind_proxy = behind_proxy; });
    const std::string token =
        operator_token(site.app().store, site.folder() / "data" / "admin.token", false);
    const Answer answer = sign_in(site, {{"token", token}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    const std::string cookie = answer.header("set-cookie");
    EXPECT_NE(cookie.find("; Path=/; Max-Age=25"), std::string::npos) << "30 days: " << cookie;
    EXPECT_TRUE(cookie.ends_with(behind_proxy ? "; HttpOnly; SameSite=Strict; Secure"
                                              : "; HttpOnly; SameSite=Strict"))
        << cookie;
    EXPECT_TRUE(cookie.starts_with("rlhf_session=")) << cookie;
    EXPECT_EQ(cookie.find(token), std::string::npos) << "a key of its own";
  }
}

TEST(Keys, PasswordsAreGuessedSlowly) {
  Site site;
  const json person{{"name", "ann"}, {"role", "annotator"}, {"password", "a long password"}};
  ASSERT_EQ(site.admin().post("/api/people", person).status, 201);
  const json right{{"name", "ann"}, {"password", "a long password"}};
  const json wrong{{"name", "Ann"}, {"password", "another password"}};
  EXPECT_EQ(sign_in(site, right).status, 200);
  for (int i = 0; i < 5; i++) EXPECT_EQ(sign_in(site, wrong).status, 401);
  const Answer later = sign_in(site, right);
  EXPECT_EQ(later.status, 429) << "also with the right one";
  EXPECT_EQ(later.header("retry-after"), "1");
  EXPECT_EQ(later.json()["error"]["code"], "too_many_tries");
}

TEST(Keys, ANewPasswordEndsSessionsAndANewTokenAllKeys) {
  Site site;
  const json added =
      site.admin()
          .post("/api/people",
                {{"name", "ann"}, {"role", "annotator"}, {"password", "a long password"}})
          .json();
  const std::string place = "/api/people/" + added["id"].dump();
  const Client by_token{site.app().server->port(), added["token"]};
  const auto session = [&](const char* password) {
    const Answer answer = sign_in(site, {{"name", "ann"}, {"password", password}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    const std::string cookie = answer.header("set-cookie");
    return "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
  };
  const auto by_cookie = [&](const std::string& cookie) {
    return site.nobody().ask("GET", "/api/me", "", cookie).status;
  };
  const std::string first = session("a long password");
  EXPECT_EQ(by_cookie(first), 200);
  ASSERT_EQ(site.admin().post(place, {{"password", "another password"}}).status, 200);
  EXPECT_EQ(by_cookie(first), 401);
  EXPECT_EQ(by_token.get("/api/me").status, 200);
  const std::string second = session("another password");
  ASSERT_EQ(site.admin().post(place, {{"new_token", true}}).status, 200);
  EXPECT_EQ(by_cookie(second), 401);
  EXPECT_EQ(by_token.get("/api/me").status, 401);
}

TEST(Keys, AKeyThatCannotBeMadeTakesNoOtherAway) {
  Site site;
  const fs::path file = site.folder() / "data" / "admin.token";
  const std::string token = operator_token(site.app().store, file, false);
  site.app().store.write([](store::Connection& connection) {
    connection.run(
        "CREATE TRIGGER failing BEFORE INSERT ON tokens BEGIN SELECT RAISE(ABORT, 'x'); END");
  });
  EXPECT_EQ(site.admin().post("/api/people/1", {{"new_token", true}}).status, 500);
  EXPECT_EQ(site.admin().post("/api/people", {{"name", "ann"}, {"role", "annotator"}}).status, 500);
  EXPECT_THROW(operator_token(site.app().store, file, true), Error);
  const Answer people = Client{site.app().server->port(), token}.get("/api/people");
  ASSERT_EQ(people.status, 200);
  EXPECT_EQ(people.json()["people"].size(), 1u);
}

TEST(Keys, TheOperatorsTokenStaysUntilItIsRenewed) {
  Site site;
  const fs::path file = site.folder() / "data" / "admin.token";
  const auto token = [&](bool renew) { return operator_token(site.app().store, file, renew); };
  const auto status = [&](const std::string& key) {
    return Client{site.app().server->port(), key}.get("/api/people").status;
  };
  const std::string first = token(false);
  EXPECT_EQ(token(false), first);
  const std::string second = token(true);
  EXPECT_NE(second, first);
  EXPECT_EQ(content_of(file), second + "\n");
  EXPECT_EQ(status(second), 200);
  EXPECT_EQ(status(first), 401) << "somebody else may know it";
  fs::remove(file);
  EXPECT_EQ(token(false), "") << "people have keys of their own";
  EXPECT_EQ(status(second), 200);
  EXPECT_EQ(status(token(true)), 200);
}

TEST(Keys, MetricsAreForWhoHasSignedIn) {
  Site site;
  EXPECT_EQ(site.nobody().get("/metrics").status, 401);
  EXPECT_EQ(site.annotator("ann").get("/metrics").status, 200);
}

TEST(Keys, AFullDiskNamesNoPlaceOfTheMachine) {
  Site site;
  site.app().store.write([](store::Connection& connection) {
    const int64_t pages = *connection.value<int64_t>("PRAGMA page_count");
    connection.value<int64_t>(fmt::format("PRAGMA max_page_count={}", pages));
  });
  const Answer refused = site.admin().put("/api/guidelines", {{"text", std::string(20'000, 'x')}});
  EXPECT_EQ(refused.status, 507) << refused.body;
  EXPECT_EQ(refused.json()["error"]["message"],
            "expected room on the disk, got none: nothing was saved");
}

TEST(Keys, WhatTheServerKeepsIsReadByItsOwnerAlone) {
  Site site;
  site.add_prompts({"abc"});
  ASSERT_EQ(site.admin().post("/api/backup", json::object()).status, 201);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(site.folder() / "data")) {
    if (!entry.is_regular_file()) continue;
    files++;
    EXPECT_EQ(entry.status().permissions() & (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none)
        << entry.path();
  }
  EXPECT_GE(files, 6);
}

}  // namespace
}  // namespace rlhf::serve
