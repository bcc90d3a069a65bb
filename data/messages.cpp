#include "data/messages.h"

#include <algorithm>
#include <initializer_list>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

using nlohmann::json;

/// One message of a column, while it is read.
struct Place {
  const Row& row;
  std::string_view column;
  size_t number;  ///< from 1
  std::string text() const { return fmt::format("message {} of {}", number, quote(column)); }
};

/// Keys that carry a part of what was said: to leave them out would teach something else.
constexpr std::string_view speaking_keys[] = {"tool_calls", "tool_call_id",      "function_call",
                                              "images",     "reasoning_content", "thinking"};

std::string keys_text(const json& message) {
  std::string names;
  for (const auto& [name, value] : message.items()) {
    names += (names.empty() ? "" : ", ") + escaped(name);
  }
  return names.empty() ? "no keys" : "the keys " + names;
}

const std::string& string_of(const json& message, const char* key, const Place& place) {
  const auto found = message.find(key);
  if (found == message.end()) {
    input_error(place.row.where(), "expected \"{}\" in {}, got {}", key, place.text(),
                keys_text(message));
  }
  if (!found->is_string()) {
    input_error(place.row.where(), "expected a string as \"{}\" of {}, got {}", key, place.text(),
                json_kind(*found));
  }
  return found->get_ref<const std::string&>();
}

Role role_of(const json& message, const Place& place) {
  const std::string& name = string_of(message, "role", place);
  for (const Role role : roles) {
    if (name == name_of(role)) return role;
  }
  const bool tool = name == "tool" || name == "function";
  input_error(place.row.where(), "expected the role system, user or assistant in {}, got {}{}",
              place.text(), quote(name), tool ? " (tools are not supported)" : "");
}

Message message_of(const json& message, const Place& place) {
  if (!message.is_object()) {
    input_error(place.row.where(), "expected an object as {}, got {}", place.text(),
                json_kind(message));
  }
  const Role role = role_of(message, place);
  for (const std::string_view key : speaking_keys) {
    const auto found = message.find(key);
    if (found == message.end() || found->is_null() || found->empty()) continue;
    input_error(place.row.where(), "expected \"role\" and \"content\" in {}, got {} as well",
                place.text(), quote(key));
  }
  const std::string& content = string_of(message, "content", place);
  if (content.empty()) {
    input_error(place.row.where(), "expected some text as \"content\" of {}, got an empty string",
                place.text());
  }
  return {role, content};
}

void append(Conversation& conversation, const Row& row, std::string_view column) {
  const auto found = row.columns().find(column);
  if (found == row.columns().end()) {
    input_error(row.where(), "expected a column {} of messages, found {}", quote(column),
                row.column_names());
  }
  if (!found->is_array()) {
    input_error(row.where(), "expected a list of messages in column {}, got {}", quote(column),
                json_kind(*found));
  }
  if (found->empty()) {
    input_error(row.where(), "expected at least one message in column {}, got none", quote(column));
  }
  for (size_t i = 0; i < found->size(); i++) {
    const Place place{row, column, i + 1};
    const Message message = message_of((*found)[i], place);
    const bool begins =
        conversation.empty() || (conversation.size() == 1 && conversation[0].role == Role::system);
    const Role turn =
        begins || conversation.back().role == Role::assistant ? Role::user : Role::assistant;
    const bool opening = conversation.empty() && message.role == Role::system;
    if (message.role != turn && !opening) {
      input_error(row.where(), "expected {} from the {}{}, got the {}", place.text(), name_of(turn),
                  conversation.empty() ? " or the system" : "", name_of(message.role));
    }
    conversation.push_back(message);
  }
}

void check_last(const Conversation& conversation, Role role, const Row& row,
                std::string_view column) {
  if (conversation.back().role != role) {
    input_error(row.where(), "expected the last message of {} from the {}, got the {}",
                quote(column), name_of(role), name_of(conversation.back().role));
  }
}

}  // namespace

std::string_view name_of(Role role) {
  constexpr std::string_view names[] = {"system", "user", "assistant"};
  return names[size_t(role)];
}

bool holds_messages(const Row& row, std::string_view column) {
  const auto found = row.columns().find(column);
  return found != row.columns().end() && found->is_array();
}

bool is_dialogue(const Row& row) {
  constexpr std::string_view columns[] = {"prompt", "completion", "chosen", "rejected"};
  return row.has("messages") || std::any_of(std::begin(columns), std::end(columns),
                                            [&](auto name) { return holds_messages(row, name); });
}

Conversation dialogue_prompt_of(const Row& row) {
  Conversation prompt;
  append(prompt, row, "prompt");
  check_last(prompt, Role::user, row, "prompt");
  return prompt;
}

Dialogue dialogue_of(const Row& row, std::string_view answer) {
  Dialogue dialogue;
  if (row.has("prompt")) dialogue.messages = dialogue_prompt_of(row);
  dialogue.given = dialogue.messages.size();
  append(dialogue.messages, row, answer);
  check_last(dialogue.messages, Role::assistant, row, answer);
  if (dialogue.given == 0) dialogue.given = dialogue.messages.size() - 1;
  return dialogue;
}

Dialogue dialogue_of(const Row& row) {
  if (!row.has("messages")) return dialogue_of(row, "completion");
  Dialogue dialogue;
  append(dialogue.messages, row, "messages");
  check_last(dialogue.messages, Role::assistant, row, "messages");
  return dialogue;
}

std::string prompt_text_of(const Row& row) {
  if (holds_messages(row, "prompt")) return transcript(dialogue_prompt_of(row));
  return row.non_empty_text(row.has("text") && !row.has("prompt") ? "text" : "prompt");
}

std::string transcript(std::span<const Message> messages) {
  std::string text;
  for (const Message& message : messages) {
    text +=
        fmt::format("{}{}: {}", text.empty() ? "" : "\n", name_of(message.role), message.content);
  }
  return text;
}

nlohmann::ordered_json messages_json(std::span<const Message> messages) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Message& message : messages) {
    list.push_back({{"role", name_of(message.role)}, {"content", message.content}});
  }
  return list;
}

}  // namespace rlhf
