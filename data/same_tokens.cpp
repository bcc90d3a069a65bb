#include "data/same_tokens.h"

#include <algorithm>

namespace rlhf {

bool same_tokens(const Tokenizer& a, const Tokenizer& b) {
  // The same bytes are not enough: special tokens have none.
  const auto same_special = [](const SpecialToken& x, const SpecialToken& y) {
    return x.id == y.id && x.name == y.name;
  };
  const auto &specials = a.special_tokens(), &others = b.special_tokens();
  if (a.vocab_size() != b.vocab_size() || a.eos() != b.eos() ||
      !std::equal(specials.begin(), specials.end(), others.begin(), others.end(), same_special)) {
    return false;
  }
  for (int32_t id = 0; id < a.vocab_size(); id++) {
    if (a.token_bytes(id) != b.token_bytes(id)) return false;
  }
  return true;
}

}  // namespace rlhf
