// Conversations of people with models. Messages form a tree by their parents, so that editing and
// asking again keep what was there before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/store/comparisons.h"

namespace rlhf::store {

struct Chat {
  int64_t id = 0, person = 0;
  std::string title, system;
  int64_t created = 0, updated = 0;
};

struct ChatMessage {
  int64_t id = 0, chat = 0;
  std::optional<int64_t> parent;  ///< none: the first of the chat
  rlhf::Role role = rlhf::Role::user;
  std::string content;
  std::optional<int64_t> version;    ///< of the assistant's
  std::optional<Sampling> sampling;  ///< likewise
  std::string finish_reason;         ///< likewise: "stop", "length", ...
  int64_t created = 0;
  std::optional<int> thumb;  ///< the owner's
};

int64_t create_chat(Store& store, int64_t person, const std::string& title = "",
                    const std::string& system = "");
/// The last used first.
std::vector<Chat> chats_of(Store& store, int64_t person, int64_t limit = 1000);
/// All that follow take the owner's chats only. @throws NotFound for others.
Chat find_chat(Store& store, int64_t person, int64_t chat);
/// With its messages and their ratings.
void delete_chat(Store& store, int64_t person, int64_t chat);

/// By id: parents come before their children.
std::vector<ChatMessage> messages_of(Store& store, int64_t person, int64_t chat);

/// `parent` is an assistant's message, or none for the first. A chat without a title takes the
/// first words. @throws InputError for an empty text or a parent of the wrong role.
int64_t add_user_message(Store& store, int64_t person, int64_t chat, std::optional<int64_t> parent,
                         const std::string& content);

struct AssistantMessage {
  int64_t parent = 0;  ///< the user's
  std::string content;
  int64_t version = 0;
  Sampling sampling = {};
  std::string finish_reason = {};
};
int64_t add_assistant_message(Store& store, int64_t person, int64_t chat,
                              const AssistantMessage& message);

/// What a model reads to answer a message of the user: the system text, where there is one, then
/// the messages from the first to this one.
Conversation conversation_until(Store& store, int64_t person, int64_t chat, int64_t question);

/// The same for a message that add_user_message() is yet to write.
Conversation conversation_with(Store& store, int64_t person, int64_t chat,
                               std::optional<int64_t> parent, const std::string& content);

}  // namespace rlhf::store
