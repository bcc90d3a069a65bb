// Whether two models speak of the same texts by the same numbers, so that what one of them wrote
// the other can read.
#pragma once

#include "data/tokenizer.h"

namespace rlhf {

/// Whether both give every id the same bytes, and have the same special tokens, the end among them.
bool same_tokens(const Tokenizer& a, const Tokenizer& b);

}  // namespace rlhf
