#include "serve/store/chats.h"

#include <algorithm>

#include "core/unicode.h"
#include "serve/store/comparison_rows.h"
#include "serve/store/refusals.h"

namespace rlhf::store {
namespace {

constexpr size_t longest_title = 200;
constexpr size_t longest_system = size_t{64} << 10;
constexpr std::string_view columns =
    "SELECT id, person, title, system, created, updated FROM chats";

Chat chat_of(const Statement& row) {
  return {.id = row.get<int64_t>(0),
          .person = row.get<int64_t>(1),
          .title = row.get<std::string>(2),
          .system = row.get<std::string>(3),
          .created = row.get<int64_t>(4),
          .updated = row.get<int64_t>(5)};
}

Chat owned_chat(Connection& connection, int64_t person, int64_t chat) {
  auto row = connection.query(fmt::format("{} WHERE id = ? AND person = ?", columns), chat, person);
  if (!row.step()) not_found("chat", "expected one of yours, got the id {}", chat);
  return chat_of(row);
}

ChatMessage message_of(const Statement& row) {
  ChatMessage message{.id = row.get<int64_t>(0),
                      .chat = row.get<int64_t>(1),
                      .parent = row.get<std::optional<int64_t>>(2),
                      .role = row.get<rlhf::Role>(3),
                      .content = row.get<std::string>(4),
                      .version = row.get<std::optional<int64_t>>(5),
                      .finish_reason = row.get<std::string>(6),
                      .created = row.get<int64_t>(7)};
  if (const auto thumb = row.get<std::optional<int>>(8); thumb && *thumb != 0) {
    message.thumb = thumb;
  }
  if (message.version) message.sampling = sampling_at(row, 9);
  return message;
}

/// The first `longest` bytes, no character cut.
std::string beginning_of(std::string_view text, size_t longest) {
  text = text.substr(0, longest);
  text.remove_suffix(incomplete_utf8_tail(text));
  return std::string(text);
}

void check_parent(Connection& connection, int64_t chat, std::optional<int64_t> parent,
                  rlhf::Role role) {
  if (parent &&
      !connection.value<int64_t>("SELECT id FROM messages WHERE id = ? AND chat = ? AND role = ?",
                                 *parent, chat, role)) {
    not_found("parent", "expected a message of this chat from the {}, got the id {}",
              rlhf::name_of(role), *parent);
  }
}

/// Checks a parent and says that the chat was used.
void begin_message(Connection& connection, int64_t now, int64_t person, int64_t chat,
                   std::optional<int64_t> parent, rlhf::Role role_of_parent) {
  owned_chat(connection, person, chat);
  check_parent(connection, chat, parent, role_of_parent);
  connection.run("UPDATE chats SET updated = ? WHERE id = ?", now, chat);
}

/// The system text, where there is one, and the messages from the first to `last`.
Conversation conversation_to(Connection& connection, int64_t person, int64_t chat,
                             std::optional<int64_t> last, rlhf::Role role_of_last) {
  const Chat owner = owned_chat(connection, person, chat);
  check_parent(connection, chat, last, role_of_last);
  Conversation conversation;
  while (last) {
    auto row = connection.query("SELECT role, content, parent FROM messages WHERE id = ?", *last);
    row.step();
    conversation.push_back({row.get<rlhf::Role>(0), row.get<std::string>(1)});
    last = row.get<std::optional<int64_t>>(2);
  }
  if (!owner.system.empty()) conversation.push_back({rlhf::Role::system, owner.system});
  std::reverse(conversation.begin(), conversation.end());
  return conversation;
}

}  // namespace

int64_t create_chat(Store& store, int64_t person, const std::string& title,
                    const std::string& system) {
  if (system.size() > longest_system) {
    input_error("system", "expected at most {} bytes, got {}", longest_system, system.size());
  }
  return store.write([&](Connection& connection) {
    return connection.insert(
        "INSERT INTO chats(person, title, system, created, updated) VALUES(?1, ?2, ?3, ?4, ?4)",
        person, beginning_of(store.cleaned(title), longest_title), store.cleaned(system),
        store.now());
  });
}

std::vector<Chat> chats_of(Store& store, int64_t person, int64_t limit) {
  return store.read([&](Connection& connection) {
    return all_rows(
        connection.query(
            fmt::format("{} WHERE person = ? ORDER BY updated DESC, id DESC LIMIT ?", columns),
            person, limit),
        chat_of);
  });
}

Chat find_chat(Store& store, int64_t person, int64_t chat) {
  return store.read([&](Connection& connection) { return owned_chat(connection, person, chat); });
}

void delete_chat(Store& store, int64_t person, int64_t chat) {
  store.write([&](Connection& connection) {
    owned_chat(connection, person, chat);
    connection.run("DELETE FROM chats WHERE id = ?", chat);
  });
}

std::vector<ChatMessage> messages_of(Store& store, int64_t person, int64_t chat) {
  return store.read([&](Connection& connection) {
    owned_chat(connection, person, chat);
    return all_rows(
        connection.query("SELECT id, chat, parent, role, content, version, finish_reason, created, "
                         "(SELECT value FROM ratings r WHERE r.message = m.id AND r.kind = 0 AND "
                         "r.person = ? ORDER BY r.id DESC LIMIT 1), temperature, top_p, top_k, "
                         "max_tokens, seed FROM messages m WHERE chat = ? ORDER BY id",
                         person, chat),
        message_of);
  });
}

int64_t add_user_message(Store& store, int64_t person, int64_t chat, std::optional<int64_t> parent,
                         const std::string& content) {
  if (content.empty()) input_error("content", "expected some text, got an empty string");
  const std::string text = store.cleaned(content);
  return store.write([&](Connection& connection) {
    const int64_t now = store.now();
    begin_message(connection, now, person, chat, parent, rlhf::Role::assistant);
    connection.run("UPDATE chats SET title = ? WHERE id = ? AND title = ''", beginning_of(text, 60),
                   chat);
    return connection.insert(
        "INSERT INTO messages(chat, parent, role, content, finish_reason, created) "
        "VALUES(?, ?, ?, ?, '', ?)",
        chat, parent, rlhf::Role::user, text, now);
  });
}

int64_t add_assistant_message(Store& store, int64_t person, int64_t chat,
                              const AssistantMessage& message) {
  const std::string text = store.cleaned(message.content);
  return store.write([&](Connection& connection) {
    const int64_t now = store.now();
    begin_message(connection, now, person, chat, message.parent, rlhf::Role::user);
    check_exists(connection, "versions", "version", message.version);
    const Sampling& sampling = message.sampling;
    return connection.insert(
        "INSERT INTO messages(chat, parent, role, content, version, temperature, top_p, top_k, "
        "max_tokens, seed, finish_reason, created) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        chat, message.parent, rlhf::Role::assistant, text, message.version, sampling.temperature,
        sampling.top_p, sampling.top_k, sampling.max_tokens, sampling.seed, message.finish_reason,
        now);
  });
}

Conversation conversation_until(Store& store, int64_t person, int64_t chat, int64_t question) {
  return store.read([&](Connection& connection) {
    return conversation_to(connection, person, chat, question, rlhf::Role::user);
  });
}

Conversation conversation_with(Store& store, int64_t person, int64_t chat,
                               std::optional<int64_t> parent, const std::string& content) {
  Conversation conversation = store.read([&](Connection& connection) {
    return conversation_to(connection, person, chat, parent, rlhf::Role::assistant);
  });
  conversation.push_back({rlhf::Role::user, store.cleaned(content)});
  return conversation;
}

}  // namespace rlhf::store
