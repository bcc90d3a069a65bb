// One choice of an answer while it grows: which text and which tokens may be shown at each event of
// the engine. Tokens come out with the text that they make: those of a stop text never do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serve/openai/placed_tokens.h"

namespace rlhf::openai {

/// What is new.
struct Piece {
  std::string text;
  std::vector<PlacedToken> tokens;
  bool empty() const { return text.empty() && tokens.empty(); }
};

class Choice {
 public:
  /// `echo`: the prompt's text comes first. `tokens`: pieces have them. The tokenizer must outlive
  /// this.
  Choice(const Tokenizer& tokenizer, const std::vector<int32_t>& prompt, bool echo, bool tokens);

  Piece on_prompt(std::vector<engine::TokenOut> prompt);
  Piece on_token(const engine::TokenOut& token);
  Piece on_finish(const engine::Finish& finish);

 private:
  const Tokenizer& tokenizer_;
  std::string echo_;  // what of the prompt is still to be shown
  bool tokens_;
  TokenPlacer placer_;
  int64_t shown_;  // characters, the prompt's included
};

}  // namespace rlhf::openai
