#include "rl/model/chat_encoding.h"

#include <numeric>

#include "core/check.h"
#include "nn/grow_vocabulary.h"
#include "rl/prompt.h"

namespace rlhf {
namespace {

std::vector<Tokens> encode_all(const Tokenizer& tokenizer, const ChatTemplate& chat,
                               std::span<const Message> messages) {
  std::vector<Tokens> out;
  for (const Message& message : messages) out.push_back(encode_message(tokenizer, chat, message));
  return out;
}

std::vector<int64_t> lengths_of(std::span<const Tokens> lists) {
  std::vector<int64_t> lengths;
  for (const Tokens& list : lists) lengths.push_back(int64_t(list.size()));
  return lengths;
}

/// The first message that may go.
size_t after_system(std::span<const Message> messages) {
  return !messages.empty() && messages[0].role == Role::system ? 1 : 0;
}

}  // namespace

int64_t messages_to_drop(std::span<const Message> messages, std::span<const int64_t> lengths,
                         int64_t room) {
  int64_t total = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  const size_t first = after_system(messages);
  size_t at = first;
  for (; total > room; at += 2) {
    if (at + 2 >= messages.size()) return -1;
    total -= lengths[at] + lengths[at + 1];
  }
  return int64_t(at - first);
}

Tokens encode_chat_prompt(const Tokenizer& tokenizer, std::span<const Message> messages) {
  const ChatTemplate chat = chat_template_of(tokenizer, "messages");
  Tokens tokens;
  for (const Tokens& part : encode_all(tokenizer, chat, messages)) {
    tokens.insert(tokens.end(), part.begin(), part.end());
  }
  tokens.push_back(chat.opening(Role::assistant));
  return tokens;
}

Tokens encode_prompt(const Tokenizer& tokenizer, const Row& row) {
  if (!holds_messages(row, "prompt")) return encode_prompt(tokenizer, prompt_text_of(row));
  return encode_chat_prompt(tokenizer, dialogue_prompt_of(row));
}

std::vector<Tokens> encode_prompts(const Tokenizer& tokenizer, std::span<const PromptRow> rows) {
  std::vector<Tokens> prompts;
  for (const PromptRow& prompt : rows) prompts.push_back(encode_prompt(tokenizer, prompt.row));
  return prompts;
}

Tokens encode_prompt_of(const Tokenizer& tokenizer, const PromptCompletion& row) {
  if (row.dialogue.empty()) return encode_prompt(tokenizer, row.prompt);
  const std::span<const Message> all = row.dialogue.messages;
  return encode_chat_prompt(tokenizer, all.first(all.size() - 1));
}

Example encode_dialogue(const Tokenizer& tokenizer, const Dialogue& dialogue, int64_t max_length,
                        const DialogueLoss& loss, int64_t* dropped) {
  const std::span<const Message> messages = dialogue.messages;
  const std::vector<Tokens> parts =
      encode_all(tokenizer, chat_template_of(tokenizer, "messages"), messages);
  const int64_t out = messages_to_drop(messages, lengths_of(parts), max_length);
  if (dropped) *dropped = out;
  if (out < 0) return {};
  Example example;
  const size_t system = after_system(messages);
  for (size_t m = 0; m < messages.size(); m++) {
    if (m >= system && m < system + size_t(out)) continue;
    const bool given = loss.completion_only && m < dialogue.given;
    const bool said = !given && (!loss.assistant_only || messages[m].role == Role::assistant);
    // The token that opens an answer is a part of what is asked.
    const bool opening =
        said && !loss.assistant_only && !(loss.completion_only && m == dialogue.given && m > 0);
    example.tokens.insert(example.tokens.end(), parts[m].begin(), parts[m].end());
    example.learn.push_back(opening);
    example.learn.resize(example.tokens.size(), said);
  }
  return example;
}

bool encode_dialogues_for_reward(const Tokenizer& tokenizer, const Dialogue& first,
                                 const Dialogue& second, int64_t max_length, Tokens& first_tokens,
                                 Tokens& second_tokens, bool& truncated) {
  const ChatTemplate chat = chat_template_of(tokenizer, "messages");
  int64_t dropped = 0;
  std::vector<Tokens> parts[2];
  const Dialogue* const dialogues[] = {&first, &second};
  for (size_t d = 0; d < 2; d++) {
    const std::span<const Message> messages = dialogues[d]->messages;
    if (messages.empty()) continue;
    parts[d] = encode_all(tokenizer, chat, messages);
    const int64_t out = messages_to_drop(messages, lengths_of(parts[d]), max_length);
    if (out < 0) return false;
    dropped = std::max(dropped, out);
  }
  Tokens* const tokens[] = {&first_tokens, &second_tokens};
  for (size_t d = 0; d < 2; d++) {
    const size_t system = after_system(dialogues[d]->messages);
    // The longer one of a pair may lose more than the shorter one has before its last exchange.
    if (!parts[d].empty() && system + size_t(dropped) + 2 > parts[d].size()) return false;
    for (size_t m = 0; m < parts[d].size(); m++) {
      if (m >= system && m < system + size_t(dropped)) continue;
      tokens[d]->insert(tokens[d]->end(), parts[d][m].begin(), parts[d][m].end());
    }
  }
  truncated = dropped > 0;
  return true;
}

std::vector<MarkedText> marked_text(const Tokenizer& tokenizer, const Example& example) {
  std::vector<MarkedText> out;
  for (size_t t = 0; t < example.tokens.size(); t++) {
    const int32_t id = example.tokens[t];
    std::string text = tokenizer.token_bytes(id);
    for (const SpecialToken& special : tokenizer.special_tokens()) {
      if (special.id == id) text = special.name;
    }
    // The first token is never a target.
    const bool learnt = t > 0 && example.learn[t];
    if (out.empty() || out.back().learnt != learnt) out.push_back({"", learnt});
    out.back().text += text;
  }
  return out;
}

std::string readable(const Tokenizer& tokenizer, std::span<const int32_t> tokens) {
  if (!has_chat_template(tokenizer)) return tokenizer.decode(tokens);
  const ChatTemplate chat = chat_template_of(tokenizer, "messages");
  std::string text;
  for (const int32_t id : tokens) {
    text += tokenizer.token_bytes(id);
    for (const Role role : roles) {
      if (id != chat.opening(role)) continue;
      text += fmt::format("{}{}: ", text.empty() ? "" : "\n", name_of(role));
    }
  }
  return text;
}

std::string ensure_chat_template(Gpt2& model, std::unique_ptr<Tokenizer>& tokenizer,
                                 std::string_view what) {
  if (has_chat_template(*tokenizer)) return "";
  const int32_t known = tokenizer->vocab_size();
  tokenizer = with_chat_template(*tokenizer, what);
  const int32_t ids = tokenizer->vocab_size(), added = ids - known;
  const int64_t rows = model.config.vocab_size;
  if (added > 0 && model.lora) {
    input_error(what,
                "expected a model with a chat template for --use_peft, got one without: its new "
                "tokens need embeddings, which no adapter holds; a first run without --use_peft "
                "teaches them");
  }
  if (added > 0) grow_vocabulary(model, known, ids);
  return fmt::format("the model gets a chat template; {} new tokens, embedding {} -> {} rows",
                     added, rows, model.config.vocab_size);
}

}  // namespace rlhf
