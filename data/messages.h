// Conversations as data: a message is a role and a text, a conversation a list of them. Rows hold
// them under TRL's column names, in .jsonl only: `messages`, or `prompt` with `completion`, or
// `chosen` and `rejected`, each a list of {"role": ..., "content": ...}. Everything is checked
// here, so that whoever has a conversation can rely on its order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/rows.h"

namespace rlhf {

enum class Role : uint8_t { system, user, assistant };

inline constexpr Role roles[] = {Role::system, Role::user, Role::assistant};

/// "system", "user", "assistant".
std::string_view name_of(Role role);

struct Message {
  Role role;
  std::string content;
  bool operator==(const Message&) const = default;
};

/// At most one system message, which comes first; then user and assistant in turn.
using Conversation = std::vector<Message>;

/// A conversation that ends with the assistant. Its first `given` messages are a prompt: they came
/// from elsewhere, whoever speaks in them.
struct Dialogue {
  Conversation messages;
  size_t given = 0;
  bool empty() const { return messages.empty(); }
};

/// Whether a column holds a list, that is messages and no text.
bool holds_messages(const Row& row, std::string_view column);

/// Whether a row is about conversations: any of the columns named above holds a list.
bool is_dialogue(const Row& row);

/// The dialogue of a row: its `messages`, or the `prompt` and a `completion` that goes on with it.
/// @throws InputError "[file:line] expected ..., got ..." for the first thing wrong: a role or
/// content that is missing or of another type, an empty content, a tool's message, turns out of
/// order. Keys beside role and content are left alone, but for those that would say something.
Dialogue dialogue_of(const Row& row);

/// The dialogue of `prompt` and the column that answers it (`completion`, `chosen`, `rejected`).
/// Without a prompt the column holds all of it, and only the last message counts as the answer.
Dialogue dialogue_of(const Row& row, std::string_view answer);

/// The messages of column `prompt`, the last of which is the user's. @throws InputError likewise.
Conversation dialogue_prompt_of(const Row& row);

/// The prompt of a row as text: `prompt`, or `text` where there is no prompt, not empty; of
/// messages their transcript. @throws InputError
std::string prompt_text_of(const Row& row);

/// For people and metrics: a line "user: ..." a message, without a line end at the end.
std::string transcript(std::span<const Message> messages);

/// The same messages as a list of objects, as rows hold them.
nlohmann::ordered_json messages_json(std::span<const Message> messages);

}  // namespace rlhf
