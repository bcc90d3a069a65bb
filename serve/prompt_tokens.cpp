#include "serve/prompt_tokens.h"

#include <algorithm>

#include "core/check.h"
#include "data/chat_template.h"
#include "rl/model/chat_encoding.h"

namespace rlhf::serve {
namespace {

Tokens with_template(const Tokenizer& tokenizer, const Conversation& conversation, int64_t room) {
  const ChatTemplate chat = chat_template_of(tokenizer, "chat");
  const size_t first = !conversation.empty() && conversation[0].role == Role::system ? 1 : 0;
  std::vector<int64_t> lengths;
  int64_t kept = 1;  // what asks for the answer
  for (size_t i = 0; i < conversation.size(); i++) {
    const auto length = int64_t(encode_message(tokenizer, chat, conversation[i]).size());
    i < first ? void(kept += length) : lengths.push_back(length);
  }
  const std::span turns = std::span(conversation).subspan(first);
  const int64_t dropped = messages_to_drop(turns, lengths, room - kept);
  if (dropped < 0) {
    input_error("content", "expected a message that fits into {} tokens, got a longer one", room);
  }
  Conversation seen(conversation.begin(), conversation.begin() + int64_t(first));
  seen.insert(seen.end(), turns.begin() + dropped, turns.end());
  return encode_chat_prompt(tokenizer, seen);
}

Tokens as_text(const Tokenizer& tokenizer, const Conversation& conversation, int64_t room) {
  std::string text;
  for (const Message& message : conversation) {
    if (!text.empty() && message.role == Role::user) text += "\n";
    text += message.content;
  }
  Tokens tokens = tokenizer.encode(text);
  if (int64_t(tokens.size()) > room) tokens.erase(tokens.begin(), tokens.end() - room);
  return tokens;
}

}  // namespace

Tokens prompt_tokens(const LoadedLanguageModel& model, const store::Prompt& prompt) {
  if (!prompt.is_messages) return model.tokenizer->encode(prompt.text);
  chat_template_of(*model.tokenizer, "prompt");
  return encode_chat_prompt(*model.tokenizer, store::messages_of(prompt));
}

Tokens conversation_tokens(const LoadedLanguageModel& model, const Conversation& conversation,
                           int64_t room) {
  check(room > 0, "chat", "expected room for a prompt, got {} tokens", room);
  return has_chat_template(*model.tokenizer) ? with_template(*model.tokenizer, conversation, room)
                                             : as_text(*model.tokenizer, conversation, room);
}

}  // namespace rlhf::serve
