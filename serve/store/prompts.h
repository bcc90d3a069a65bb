// What answers are asked for. Prompts are plain texts or conversations that end with the user; a
// prompt that is there already is not added again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/messages.h"
#include "serve/store/store.h"

namespace rlhf::store {

struct Prompt {
  int64_t id = 0;
  std::string text;  ///< plain, or a JSON list of messages
  bool is_messages = false;
  std::string source;
  int64_t created = 0;
};

/// The messages of a prompt that has them.
Conversation messages_of(const Prompt& prompt);
/// Its text, or its messages as JSON has them.
nlohmann::ordered_json value_of(const Prompt& prompt);

/// One that is not stored yet.
struct NewPrompt {
  std::string text;
  bool is_messages = false;
  std::string source = {};  ///< empty: the import's
};

struct RefusedLine {
  int64_t line;
  std::string message;
};

struct ParsedPrompts {
  std::vector<NewPrompt> prompts;
  std::vector<RefusedLine> refused;
};

/// JSON lines: rows of `prompt` (a text or messages) or `text`, with an optional `source`. A line
/// that is wrong is refused by itself. Texts of at most 64 KiB.
ParsedPrompts parse_prompts(std::string_view lines);

struct PromptImport {
  int64_t added = 0, duplicates = 0;
  std::vector<RefusedLine> refused;
};

/// All in one transaction. `source` is for those that name none.
PromptImport import_prompts(Store& store, int64_t by, std::string_view lines,
                            const std::string& source = "import");
PromptImport add_prompts(Store& store, int64_t by, const std::vector<NewPrompt>& prompts,
                         const std::string& source = "import");

int64_t count_prompts(Store& store);
/// By id, those above `after`.
std::vector<Prompt> list_prompts(Store& store, int64_t after, int64_t limit);

/// Collecting: the oldest prompts that no comparison asks about; with `version`, none that has an
/// answer of that version. With `candidate`: prompts that no promotion comparison of that candidate
/// asks about, held-out ones (see export.h) first, so that a candidate is compared where it has not
/// learnt.
struct PromptQuery {
  std::optional<int64_t> version = {};
  std::optional<int64_t> candidate = {};
  int64_t limit = 1;
};
std::vector<Prompt> prompts_without_comparison(Store& store, const PromptQuery& query);

}  // namespace rlhf::store
