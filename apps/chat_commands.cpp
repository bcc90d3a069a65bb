#include "apps/chat_commands.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/nearest.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

constexpr std::string_view help =
    "/reset         begin anew; the system message stays\n"
    "/undo          take the last message and its answer back\n"
    "/retry         another answer to the last message\n"
    "/system TEXT   set the system message; without TEXT remove it\n"
    "/save FILE     append the conversation to a .jsonl file, as rlhf sft reads it\n"
    "/exit          leave, as Ctrl-D does\n"
    "//...          a message that begins with a slash\n"
    "Ctrl-C stops an answer.";

void require_exchange(const Chat& chat, std::string_view command) {
  if (!chat.can_retry()) input_error(command, "expected an answer before it, got none");
}

std::string count_text(size_t messages) {
  return fmt::format("{} {}", messages, messages == 1 ? "message" : "messages");
}

}  // namespace

void save_conversation(const std::string& file, const Conversation& messages) {
  if (messages.empty() || messages.back().role != Role::assistant) {
    input_error("/save", "expected a conversation with an answer, got none");
  }
  if (!file.ends_with(".jsonl"))
    input_error("/save", "expected a .jsonl file, got {}", quote(file));
  std::error_code error;
  std::string text;
  if (std::filesystem::exists(file, error) && std::filesystem::file_size(file, error) > 0) {
    text = read_text(file);
    if (!text.ends_with('\n')) text += '\n';
  }
  text += nlohmann::ordered_json{{"messages", messages_json(messages)}}.dump() + "\n";
  atomic_write(file, text);
}

ChatRequest chat_request(const std::string& line, Chat& chat, std::string& message,
                         std::string& notice) {
  if (find_invalid_utf8(line)) input_error("message", "expected UTF-8, got {}", quote(line));
  message = line;
  if (line.find_first_not_of(" \t") == std::string::npos) return ChatRequest::done;
  if (!line.starts_with('/')) return ChatRequest::message;
  if (line.starts_with("//")) {
    message.erase(0, 1);
    return ChatRequest::message;
  }
  const size_t space = std::min(line.find_first_of(" \t"), line.size());
  const std::string command = line.substr(0, space);
  const size_t begin = std::min(line.find_first_not_of(" \t", space), line.size());
  const std::string argument = line.substr(begin);
  if (!argument.empty() && command != "/system" && command != "/save") {
    input_error(command, "expected nothing behind it, got {}", quote(argument));
  }
  if (command == "/exit") return ChatRequest::leave;
  if (command == "/retry") {
    require_exchange(chat, command);
    return ChatRequest::retry;
  }
  if (command == "/help") {
    notice = help;
  } else if (command == "/reset") {
    chat.reset();
    notice = "a new conversation";
  } else if (command == "/undo") {
    require_exchange(chat, command);
    chat.undo();
    notice = fmt::format("taken back; {} left", count_text(chat.messages().size()));
  } else if (command == "/system") {
    chat.set_system(argument);
    notice = argument.empty() ? "no system message" : "the system message is set";
  } else if (command == "/save") {
    if (argument.empty()) input_error(command, "expected a .jsonl file, got none");
    save_conversation(argument, chat.messages());
    notice = fmt::format("{} appended to {}", count_text(chat.messages().size()), argument);
  } else {
    const std::vector<std::string> names{"/reset", "/undo", "/retry", "/system",
                                         "/save",  "/exit", "/help"};
    const auto nearest = nearest_word(command, names);
    input_error("chat", "expected a command of /help, got {}{}", quote(command),
                nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest));
  }
  return ChatRequest::done;
}

}  // namespace rlhf
