#include "serve/openai/chat_messages.h"

#include "core/json.h"
#include "core/unicode.h"

namespace rlhf::openai {
namespace {

using nlohmann::json;

std::string param_of(size_t at, std::string_view key = "") {
  return fmt::format("messages[{}]{}{}", at, key.empty() ? "" : ".", key);
}

Role role_of(const json& message, size_t at) {
  const auto found = message.find("role");
  const std::string param = param_of(at, "role");
  if (found == message.end() || !found->is_string()) {
    field_error(param, "expected \"system\", \"user\" or \"assistant\", got {}",
                found == message.end() ? "none" : shown(*found));
  }
  const auto& name = found->get_ref<const std::string&>();
  if (name == "developer") return Role::system;
  for (const Role role : roles) {
    if (name == name_of(role)) return role;
  }
  const bool tool = name == "tool" || name == "function";
  field_error(param, "expected \"system\", \"user\" or \"assistant\", got {}{}", quote(name),
              tool ? ": tools are not supported" : "");
}

std::string text_of_parts(const json& parts, const std::string& param) {
  std::string text;
  for (const json& part : parts) {
    const bool is_text = part.is_object() && part.contains("type") && part["type"] == "text" &&
                         part.contains("text") && part["text"].is_string();
    if (!is_text) {
      const bool has_type = part.is_object() && part.contains("type");
      field_error(param, "expected parts {{\"type\": \"text\", \"text\": ...}}, got {}",
                  has_type ? "the type " + shown(part["type"]) : shown(part));
    }
    text += part["text"].get_ref<const std::string&>();
  }
  return text;
}

std::string content_of(const json& message, size_t at) {
  const std::string param = param_of(at, "content");
  const auto found = message.find("content");
  if (found == message.end() || !(found->is_string() || found->is_array())) {
    field_error(param, "expected a string or a list of parts of text, got {}",
                found == message.end() ? "none" : shown(*found));
  }
  std::string text = found->is_string() ? found->get<std::string>() : text_of_parts(*found, param);
  if (text.empty()) field_error(param, "expected some text, got an empty string");
  return text;
}

/// Keys that carry a part of what was said.
void refuse_more(const json& message, size_t at) {
  for (const char* key : {"tool_calls", "tool_call_id", "function_call", "audio", "refusal"}) {
    const auto found = message.find(key);
    if (found == message.end() || found->is_null() || found->empty()) continue;
    throw FieldError(param_of(at, key), "expected a message without it, got one: not supported",
                     "unsupported_parameter");
  }
}

/// Who may speak after these messages.
bool may_follow(const Conversation& before, Role role) {
  if (before.empty()) return role != Role::assistant;
  return role == (before.back().role == Role::user ? Role::assistant : Role::user);
}

}  // namespace

Conversation parse_messages(const Fields& fields) {
  const json* value = fields.find("messages");
  if (!value || !value->is_array() || value->empty() || value->size() > most_messages) {
    field_error("messages", "expected a list of 1 to {} messages, got {}", most_messages,
                !value                                 ? "none"
                : value->is_array() && !value->empty() ? std::to_string(value->size())
                                                       : shown(*value));
  }
  Conversation messages;
  for (size_t at = 0; at < value->size(); at++) {
    const json& message = (*value)[at];
    if (!message.is_object()) {
      field_error(param_of(at), "expected an object with role and content, got {}", shown(message));
    }
    const Role role = role_of(message, at);
    if (!may_follow(messages, role)) {
      field_error(
          param_of(at, "role"),
          "expected a system message at most at the beginning, then user and assistant in "
          "turn, got the {} after {}",
          name_of(role),
          messages.empty() ? "nothing" : fmt::format("the {}", name_of(messages.back().role)));
    }
    refuse_more(message, at);
    messages.push_back({role, content_of(message, at)});
  }
  if (messages.back().role != Role::user) {
    field_error("messages", "expected the last message from the user, got the {}",
                name_of(messages.back().role));
  }
  return messages;
}

}  // namespace rlhf::openai
