#include "serve/openai/choice.h"

#include <utility>

namespace rlhf::openai {
namespace {

/// A prompt's tokens as text, with U+FFFD for what is none.
std::string text_of(const Tokenizer& tokenizer, const std::vector<int32_t>& tokens) {
  StreamDecoder decoder(tokenizer);
  std::string text;
  for (const int32_t token : tokens) text += decoder.push(token);
  return text + decoder.finish();
}

}  // namespace

Choice::Choice(const Tokenizer& tokenizer, const std::vector<int32_t>& prompt, bool echo,
               bool tokens)
    : tokenizer_(tokenizer),
      echo_(text_of(tokenizer, prompt)),
      tokens_(tokens),
      // Offsets count from the beginning of the prompt, be it echoed or not.
      placer_(tokenizer, characters_in(echo_)),
      shown_(placer_.end()) {
  if (!echo) echo_.clear();
}

Piece Choice::on_prompt(std::vector<engine::TokenOut> prompt) {
  Piece piece{std::exchange(echo_, ""), {}};
  TokenPlacer placer(tokenizer_, 0);
  for (engine::TokenOut& token : prompt) placer.push(std::move(token));
  placer.finish();
  piece.tokens = placer.take_rest();
  return piece;
}

Piece Choice::on_token(const engine::TokenOut& token) {
  Piece piece{std::exchange(echo_, "") + token.text, {}};
  if (!tokens_) return piece;
  shown_ += characters_in(token.text);
  placer_.push(token);
  piece.tokens = placer_.take_before(shown_);
  return piece;
}

Piece Choice::on_finish(const engine::Finish& finish) {
  Piece piece{std::exchange(echo_, ""), {}};
  if (!tokens_) return piece;
  placer_.finish();
  piece.tokens = finish.stopped_at_text < 0 ? placer_.take_rest() : placer_.take_before(shown_);
  return piece;
}

}  // namespace rlhf::openai
