// Learning a byte-pair vocabulary (Sennrich et al. 2016, algorithm 1): start with the bytes, and
// again and again make the most frequent pair of neighbours a new token.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "data/bpe.h"

namespace rlhf {

/// Called with the number of tokens that exist and the number wanted.
using TokenizerProgress = std::function<void(int done, int total)>;

/// Learns a vocabulary of `vocab_size` tokens: 256 bytes, merges, the end and the pad token. Equal
/// counts are decided for the pair with the smaller left id, then the smaller right id, so the
/// result is a function of the documents alone. Pairs that occur only once are not learnt: a corpus
/// too small for `vocab_size` gives a smaller vocabulary, whose vocab_size() says how far it
/// reached.
/// @throws InputError if vocab_size < 258 or the documents contain no text.
BpeTokenizer train_bpe(std::span<const std::string> documents, int vocab_size,
                       const TokenizerProgress& progress = {});

}  // namespace rlhf
