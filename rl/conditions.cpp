#include "rl/conditions.h"

#include <set>

#include "core/check.h"
#include "core/unicode.h"
#include "rl/model/chat_encoding.h"
#include "rl/prompt.h"

namespace rlhf {

std::vector<std::string> split_conditions(std::string_view text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('|', begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

void check_conditions(const Tokenizer& tokenizer, std::span<const std::string> conditions,
                      const std::string& flag) {
  if (conditions.size() < 2) {
    input_error(flag, "expected at least 2 texts, as 'worse: |better: ', got {}",
                conditions.size());
  }
  std::set<std::string> seen;
  for (const std::string& condition : conditions) {
    if (condition.empty())
      input_error(flag, "expected a text for each condition, got an empty one");
    if (find_invalid_utf8(condition)) {
      input_error(flag, "expected UTF-8, got {}", quote(condition));
    }
    if (!seen.insert(condition).second) {
      input_error(flag, "expected texts that differ, got {} twice", quote(condition));
    }
    try {
      tokenizer.encode(condition);
    } catch (const InputError& error) {
      input_error(flag, "expected texts that the vocabulary can spell, got {}: {}",
                  quote(condition), error.what());
    }
  }
}

Tokens encode_under(const Tokenizer& tokenizer, const std::string& condition,
                    const PromptRow& prompt) {
  if (!holds_messages(prompt.row, "prompt")) {
    return encode_prompt(tokenizer, condition + prompt.prompt);
  }
  Conversation messages = dialogue_prompt_of(prompt.row);
  if (messages.front().role == Role::system) {
    messages.front().content = condition + messages.front().content;
  } else {
    messages.insert(messages.begin(), {Role::system, condition});
  }
  return encode_chat_prompt(tokenizer, messages);
}

ConditionedPrompts condition_prompts(const Tokenizer& tokenizer,
                                     std::span<const std::string> conditions,
                                     std::span<const PromptRow> rows, int64_t n_positions,
                                     int64_t response_length, const std::string& flag) {
  ConditionedPrompts prompts;
  for (const std::string& condition : conditions) {
    std::vector<Tokens>& under = prompts.emplace_back();
    for (size_t i = 0; i < rows.size(); i++) {
      under.push_back(encode_under(tokenizer, condition, rows[i]));
      const int64_t length = int64_t(under.back().size());
      if (length + response_length + 1 > n_positions) {
        input_error(flag,
                    "expected {} before prompt {} to leave {} of {} positions for the response and "
                    "its end, got {} tokens",
                    quote(condition), i + 1, response_length, n_positions, length);
      }
    }
  }
  return prompts;
}

}  // namespace rlhf
