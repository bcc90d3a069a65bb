// Chats as trees of messages, and ratings of texts.
#include "serve/store/chats.h"

#include "serve/store/ratings.h"
#include "tests/store_helpers.h"

namespace rlhf::store {
namespace {

using Chats = StoreTest;

TEST_F(Chats, EditingAndAskingAgainKeepTheOldBranch) {
  const int64_t anna = person("anna"), by = version();
  const int64_t chat = create_chat(store(), anna, "", "Be brief.");
  const int64_t question = add_user_message(store(), anna, chat, {}, "why is the sky blue ?");
  const AssistantMessage answer{.parent = question,
                                .content = "scattering",
                                .version = by,
                                .sampling = {.temperature = 0.5, .seed = ~uint64_t{0}},
                                .finish_reason = "stop"};
  const int64_t one = add_assistant_message(store(), anna, chat, answer);
  const int64_t two = add_assistant_message(store(), anna, chat, answer);
  const int64_t edited = add_user_message(store(), anna, chat, {}, "why is grass green ?");
  const int64_t deeper = add_user_message(store(), anna, chat, two, "really ?");

  const auto messages = messages_of(store(), anna, chat);
  ASSERT_EQ(messages.size(), 5u);
  EXPECT_EQ(messages[1].id, one);
  EXPECT_EQ(messages[1].parent, question);
  EXPECT_EQ(messages[1].version, by);
  EXPECT_EQ(messages[1].sampling->seed, ~uint64_t{0});
  EXPECT_EQ(messages[1].sampling->temperature, 0.5);
  EXPECT_EQ(messages[1].finish_reason, "stop");
  EXPECT_FALSE(messages[3].parent);
  EXPECT_FALSE(messages[3].sampling);
  EXPECT_EQ(conversation_until(store(), anna, chat, deeper),
            (Conversation{{rlhf::Role::system, "Be brief."},
                          {rlhf::Role::user, "why is the sky blue ?"},
                          {rlhf::Role::assistant, "scattering"},
                          {rlhf::Role::user, "really ?"}}));
  EXPECT_EQ(conversation_until(store(), anna, chat, edited).size(), 2u);
  EXPECT_EQ(conversation_with(store(), anna, chat, two, "really ?"),
            conversation_until(store(), anna, chat, deeper));
  EXPECT_EQ(conversation_with(store(), anna, chat, {}, "why ?"),
            (Conversation{{rlhf::Role::system, "Be brief."}, {rlhf::Role::user, "why ?"}}));
  EXPECT_THROW(conversation_until(store(), anna, chat, two), NotFound) << "that is an answer";
  EXPECT_THROW(conversation_with(store(), anna, chat, question, "x"), NotFound);
  EXPECT_EQ(find_chat(store(), anna, chat).title, "why is the sky blue ?");
}

TEST_F(Chats, AreTheOwnersAlone) {
  const int64_t anna = person("anna"), ben = person("ben"), by = version();
  const int64_t chat = create_chat(store(), anna, "mine");
  const int64_t message = add_user_message(store(), anna, chat, {}, "hi");
  const int64_t answer = add_assistant_message(
      store(), anna, chat, {.parent = message, .content = "hello", .version = by});
  EXPECT_THROW(find_chat(store(), ben, chat), NotFound);
  EXPECT_THROW(messages_of(store(), ben, chat), NotFound);
  EXPECT_THROW(delete_chat(store(), ben, chat), NotFound);
  EXPECT_THROW(add_user_message(store(), ben, chat, answer, "x"), NotFound);
  EXPECT_THROW(conversation_until(store(), ben, chat, message), NotFound);
  EXPECT_THROW(rate(store(), ben, {.request_id = "r", .message = answer, .value = 1}), NotFound);

  const int64_t other = create_chat(store(), anna, "other");
  EXPECT_THROW(add_user_message(store(), anna, other, answer, "x"), NotFound);
  EXPECT_THROW(conversation_until(store(), anna, other, message), NotFound);
  EXPECT_THROW(add_user_message(store(), anna, chat, message, "x"), NotFound)
      << "a user answers the assistant";
  EXPECT_THROW(add_user_message(store(), anna, chat, {}, ""), InputError);
  EXPECT_TRUE(chats_of(store(), ben).empty());
}

TEST_F(Chats, TheLastUsedComesFirstAndDeletingTakesAll) {
  const int64_t anna = person("anna");
  const int64_t old = create_chat(store(), anna, "old");
  time += second;
  const int64_t fresh = create_chat(store(), anna, "fresh");
  EXPECT_EQ(chats_of(store(), anna).at(0).id, fresh);
  time += second;
  add_user_message(store(), anna, old, {}, "hi");
  EXPECT_EQ(chats_of(store(), anna).at(0).id, old);
  const std::string long_title = std::string(199, 'x') + "\u00e9";
  EXPECT_EQ(find_chat(store(), anna, create_chat(store(), anna, long_title)).title.size(), 199u)
      << "no half of a character";
  delete_chat(store(), anna, old);
  EXPECT_EQ(chats_of(store(), anna).size(), 2u);
  EXPECT_THROW(find_chat(store(), anna, old), NotFound);
}

TEST_F(Chats, TheLatestThumbCounts) {
  const int64_t anna = person("anna"), by = version();
  const int64_t chat = create_chat(store(), anna);
  const int64_t question = add_user_message(store(), anna, chat, {}, "hi");
  const int64_t answer = add_assistant_message(
      store(), anna, chat, {.parent = question, .content = "hello", .version = by});
  const auto thumb = [&] { return messages_of(store(), anna, chat).at(1).thumb; };
  EXPECT_FALSE(thumb());
  const int64_t first = rate(store(), anna, {.request_id = "a", .message = answer, .value = 1});
  EXPECT_EQ(rate(store(), anna, {.request_id = "a", .message = answer, .value = 1}), first);
  EXPECT_EQ(thumb(), 1);
  rate(store(), anna, {.request_id = "b", .message = answer, .value = -1});
  EXPECT_EQ(thumb(), -1);
  rate(store(), anna, {.request_id = "c", .message = answer, .value = 0});
  EXPECT_FALSE(thumb());
}

TEST_F(Chats, RatingsAreChecked) {
  const int64_t anna = person("anna"), ben = person("ben");
  comparison(prompt("p"), {"a", "b"});
  const int64_t lease = lease_next(store(), anna)->id;
  const Rating wrong[] = {
      {.request_id = "", .lease = lease, .place = 0, .value = 1},
      {.request_id = "r", .value = 1},
      {.request_id = "r", .lease = lease, .value = 1},
      {.request_id = "r", .lease = lease, .place = 2, .value = 1},
      {.request_id = "r", .lease = lease, .place = 0, .value = 2},
      {.request_id = "r", .lease = lease, .place = 0, .kind = RatingKind::score, .value = 0},
      {.request_id = "r", .lease = lease, .place = 0, .message = 1, .value = 1},
  };
  for (const Rating& rating : wrong) EXPECT_THROW(rate(store(), anna, rating), InputError);
  const Rating good{
      .request_id = "r", .lease = lease, .place = 1, .kind = RatingKind::score, .value = 5};
  EXPECT_THROW(rate(store(), ben, good), NotFound);
  EXPECT_GT(rate(store(), anna, good), 0);
}

}  // namespace
}  // namespace rlhf::store
