// Where each token of a text begins, in characters, as Python counts them. Tokens come one by one
// and are not always whole characters: a token that goes on with a character lies where that
// character does.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer.h"
#include "serve/engine/job.h"

namespace rlhf::openai {

struct PlacedToken {
  engine::TokenOut out;
  int64_t offset;  ///< in characters from the beginning of the text
};

/// The number of code points in a text; every byte that belongs to none counts as one.
int64_t characters_in(std::string_view text);

class TokenPlacer {
 public:
  /// `first`: where the first token begins. The tokenizer must outlive this.
  TokenPlacer(const Tokenizer& tokenizer, int64_t first) : tokenizer_(tokenizer), at_(first) {}

  void push(engine::TokenOut token);

  /// No further tokens come: what is left of a character counts byte by byte.
  void finish();

  /// Moves out the next tokens that are known to begin before a character.
  std::vector<PlacedToken> take_before(int64_t character);

  /// After finish(): moves out all that are left.
  std::vector<PlacedToken> take_rest();

  /// Where the next token begins, as far as is known.
  int64_t end() const { return at_; }

 private:
  struct Waiting {
    PlacedToken token;
    size_t byte;  // where it begins within held_, or began when it was placed
    bool placed;
  };
  void place(size_t bytes);

  const Tokenizer& tokenizer_;
  int64_t at_;        // characters before held_
  std::string held_;  // bytes not yet counted
  std::deque<Waiting> waiting_;
};

}  // namespace rlhf::openai
