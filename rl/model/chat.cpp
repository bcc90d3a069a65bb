#include "rl/model/chat.h"

#include <algorithm>

#include "core/check.h"
#include "rl/model/chat_encoding.h"

namespace rlhf {

Chat::Chat(const Gpt2& model, const Tokenizer& tokenizer, SamplingOptions sampling,
           std::string_view model_name)
    : model_(model),
      tokenizer_(tokenizer),
      template_(chat_template_of(tokenizer, model_name)),
      sampling_(std::move(sampling)) {
  for (const SpecialToken& special : tokenizer.special_tokens()) {
    sampling_.stop_tokens.push_back(special.id);
  }
}

Conversation Chat::messages() const {
  Conversation out;
  for (const Turn& turn : turns_) out.push_back(turn.message);
  return out;
}

Tokens Chat::prompt(size_t* forgotten) const {
  const int64_t positions = model_.config.n_positions;
  const int64_t room = positions - 1 - std::min(sampling_.max_new_tokens, positions / 2);
  std::vector<int64_t> lengths;
  for (const Turn& turn : turns_) lengths.push_back(int64_t(turn.tokens.size()));
  const Conversation all = messages();
  const int64_t dropped = messages_to_drop(all, lengths, room);
  const size_t first = first_turn();
  if (dropped < 0) {
    const int64_t system = first ? lengths[0] : 0;
    input_error("message", "expected at most {} tokens{}, got {}", room - system - 2,
                first ? " beside the system message" : "", lengths.back() - 2);
  }
  if (forgotten) *forgotten = size_t(dropped);
  Tokens tokens;
  for (size_t t = 0; t < turns_.size(); t++) {
    if (t >= first && t < first + size_t(dropped)) continue;
    tokens.insert(tokens.end(), turns_[t].tokens.begin(), turns_[t].tokens.end());
  }
  tokens.push_back(template_.opening(Role::assistant));
  return tokens;
}

ChatAnswer Chat::answer(const OnText& on_text) {
  ChatAnswer answer;
  const Tokens prompt = this->prompt(&answer.forgotten);
  StreamDecoder decoder(tokenizer_);
  const Generated generated =
      generate(model_, prompt, sampling_, prefix_, [&](size_t, int32_t token) {
        const std::string text = decoder.push(token);
        answer.text += text;
        return on_text(text);
      });
  const std::string rest = decoder.finish();
  answer.text += rest;
  if (!rest.empty()) on_text(rest);
  answer.ended = generated.stopped;
  sampling_.first_sequence++;
  if (answer.text.empty()) return answer;
  Tokens said{template_.opening(Role::assistant)};
  said.insert(said.end(), generated.tokens.begin(), generated.tokens.end());
  if (generated.stopped) said.pop_back();
  said.push_back(template_.end);
  turns_.push_back({{Role::assistant, answer.text}, std::move(said)});
  return answer;
}

ChatAnswer Chat::say(const std::string& text, const OnText& on_text) {
  if (text.empty()) input_error("message", "expected some text, got none");
  const Message message{Role::user, text};
  turns_.push_back({message, encode_message(tokenizer_, template_, message)});
  const size_t before = turns_.size();
  try {
    ChatAnswer given = answer(on_text);
    if (turns_.size() == before) turns_.pop_back();
    return given;
  } catch (...) {
    turns_.resize(before - 1);
    throw;
  }
}

ChatAnswer Chat::retry(const OnText& on_text) {
  check(can_retry(), "chat", "expected an answer to try again, got {} messages", turns_.size());
  const std::vector<Turn> before = turns_;
  undo();
  ChatAnswer given = say(before[before.size() - 2].message.content, on_text);
  if (given.text.empty()) turns_ = before;
  return given;
}

void Chat::undo() {
  check(can_retry(), "chat", "expected an exchange to undo, got {} messages", turns_.size());
  turns_.resize(turns_.size() - 2);
}

void Chat::reset() { turns_.resize(first_turn()); }

void Chat::set_system(const std::string& text) {
  std::vector<Turn> system;
  if (!text.empty()) {
    const Message message{Role::system, text};
    system.push_back({message, encode_message(tokenizer_, template_, message)});
  }
  turns_.erase(turns_.begin(), turns_.begin() + int64_t(first_turn()));
  turns_.insert(turns_.begin(), system.begin(), system.end());
}

}  // namespace rlhf
