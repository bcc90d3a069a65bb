// Chats over HTTP: answers as events, and what is kept of questions and answers.
#include <gtest/gtest.h>

#include "tests/serving_site.h"

namespace rlhf::serve {
namespace {

using nlohmann::json;

TEST(ServeChats, AnswerAndKeepWhatWasSaid) {
  Site site;
  const Client ann = site.annotator("ann"), bob = site.annotator("bob");
  const int64_t chat = ann.post("/api/chats", {{"title", "first"}}).json()["id"];
  const std::string place = "/api/chats/" + std::to_string(chat);
  const Answer said =
      ann.post(place + "/messages", {{"content", "abc"}, {"max_tokens", 6}, {"seed", 1}});
  ASSERT_EQ(said.status, 200) << said.body;
  EXPECT_NE(said.body.find("event: message"), std::string::npos);
  EXPECT_NE(said.body.find("event: token"), std::string::npos);
  EXPECT_NE(said.body.find("event: done"), std::string::npos) << said.body;
  const json messages = ann.get(place).json()["messages"];
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1]["role"], "assistant");
  const Answer again = ann.post(
      place + "/messages",
      {{"parent", messages[0]["id"]}, {"regenerate", true}, {"max_tokens", 6}, {"seed", 2}});
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(ann.get(place).json()["messages"].size(), 3u);
  const Answer rated = ann.post(
      "/api/ratings",
      {{"request_id", "r1"}, {"message", messages[1]["id"]}, {"kind", "thumb"}, {"value", 1}});
  EXPECT_EQ(rated.status, 200) << rated.body;
  EXPECT_EQ(bob.get(place).status, 404);
  EXPECT_EQ(bob.post(place + "/messages", {{"content", "x"}}).status, 404);
  EXPECT_EQ(ann.del(place).status, 200);
  EXPECT_EQ(ann.get(place).status, 404);
}

TEST(ServeChats, KeepNothingOfWhatIsRefused) {
  Site site;
  const Client ann = site.annotator("ann");
  const int64_t chat = ann.post("/api/chats", json::object()).json()["id"];
  const std::string place = "/api/chats/" + std::to_string(chat);
  const auto ask = [&](const json& body) { return ann.post(place + "/messages", body).status; };
  const auto messages = [&] { return ann.get(place).json()["messages"]; };
  EXPECT_EQ(ask({{"content", "\u4f60"}}), 400) << "the tokenizer cannot spell it";
  EXPECT_EQ(ask({{"content", ""}}), 400);
  EXPECT_EQ(messages().size(), 0u);
  EXPECT_EQ(ann.get(place).json()["title"], "");
  ASSERT_EQ(ask({{"content", "abc"}, {"max_tokens", 6}, {"seed", 1}}), 200);
  const json said = messages();
  ASSERT_EQ(said.size(), 2u);
  const json question = said[0]["id"], answer = said[1]["id"];
  EXPECT_EQ(ask({{"parent", answer}, {"content", "abc\u4f60"}}), 400);
  EXPECT_EQ(ask({{"parent", question}, {"content", "abc"}}), 404) << "nobody answered that";
  EXPECT_EQ(ask({{"parent", answer}, {"regenerate", true}}), 404) << "nobody asked that";
  EXPECT_EQ(messages(), said);
  EXPECT_EQ(ask({{"parent", question}, {"regenerate", true}, {"max_tokens", 6}, {"seed", 2}}), 200);
  EXPECT_EQ(messages().size(), 3u);
}

}  // namespace
}  // namespace rlhf::serve
