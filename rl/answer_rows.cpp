#include "rl/answer_rows.h"

#include <vector>

#include "data/messages.h"

namespace rlhf {

std::string answer_text(const Tokenizer& tokenizer, std::span<const int32_t> tokens) {
  StreamDecoder decoder(tokenizer);
  std::string text;
  for (const int32_t token : tokens) text += decoder.push(token);
  return text + decoder.finish();
}

nlohmann::ordered_json prompt_json(const Row& row) {
  if (holds_messages(row, "prompt")) return messages_json(dialogue_prompt_of(row));
  return prompt_text_of(row);
}

nlohmann::ordered_json answer_json(const nlohmann::ordered_json& prompt, const std::string& text) {
  if (!prompt.is_array()) return text;
  return messages_json(std::vector<Message>{{Role::assistant, text}});
}

}  // namespace rlhf
