#include "serve/openai/placed_tokens.h"

#include <limits>
#include <utility>

#include "core/unicode.h"

namespace rlhf::openai {

int64_t characters_in(std::string_view text) {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); count++) at += size_t(code_point_at(text, at).length);
  return count;
}

void TokenPlacer::push(engine::TokenOut token) {
  const bool known = token.token >= 0 && token.token < tokenizer_.vocab_size();
  const size_t begin = held_.size();
  if (known) held_ += tokenizer_.token_bytes(token.token);
  waiting_.push_back({{std::move(token), 0}, begin, false});
  place(held_.size() - incomplete_utf8_tail(held_));
}

void TokenPlacer::place(size_t bytes) {
  const std::string_view text = std::string_view(held_).substr(0, bytes);
  size_t next = 0;
  while (next < waiting_.size() && waiting_[next].placed) next++;
  for (size_t at = 0; at < text.size(); at_++) {
    at += size_t(code_point_at(text, at).length);
    for (; next < waiting_.size() && waiting_[next].byte < at; next++) {
      waiting_[next].token.offset = at_;
      waiting_[next].placed = true;
    }
  }
  held_.erase(0, bytes);
  for (size_t i = next; i < waiting_.size(); i++) waiting_[i].byte -= bytes;
}

void TokenPlacer::finish() {
  place(held_.size());
  for (Waiting& waiting : waiting_) {
    if (!waiting.placed) waiting.token.offset = at_;
    waiting.placed = true;
  }
}

std::vector<PlacedToken> TokenPlacer::take_before(int64_t character) {
  std::vector<PlacedToken> tokens;
  while (!waiting_.empty() && waiting_.front().placed &&
         waiting_.front().token.offset < character) {
    tokens.push_back(std::move(waiting_.front().token));
    waiting_.pop_front();
  }
  return tokens;
}

std::vector<PlacedToken> TokenPlacer::take_rest() {
  return take_before(std::numeric_limits<int64_t>::max());
}

}  // namespace rlhf::openai
