// A model for more tokens than it has learnt. The embedding of a new token is the mean of those
// that the model knows: then the logit of a new token is the mean of the others', its probability
// stays small, and what the model said before it says nearly as before, where a random embedding
// may take over the whole distribution (Hewitt 2021, "Initializing new word embeddings for
// pretrained language models").
#pragma once

#include <cstdint>

#include "nn/gpt2.h"

namespace rlhf {

/// Makes room for ids [known, ids): rows that pad the embedding to a rounder number are used first,
/// then it grows. Whatever is below `known` keeps its bits; rows at and above `ids` stay unsampled.
/// Deterministic. REQUIRES: 1 <= known <= ids. A `known` above the embedding's rows (an end-padded
/// tokenizer) means all of them.
void grow_vocabulary(Gpt2& model, int64_t known, int64_t ids);

}  // namespace rlhf
