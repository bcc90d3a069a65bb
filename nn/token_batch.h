// Token sequences of different lengths as one rectangle that a model reads: padded, or packed with
// several documents to a row that cannot see each other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ops.h"
#include "core/tokens.h"

namespace rlhf {

/// B rows of T tokens. `position` counts from 0 within each document; `span` is undefined when
/// every row is one document from its first token on.
struct TokenBatch {
  int64_t B = 0, T = 0;
  Tensor token;     ///< i32 (B, T)
  Tensor position;  ///< i32 (B, T)
  AttentionSpan span;
};

/// One sequence a row, padded on the right to the longest. Causal attention never looks right, so
/// padding needs no mask: it only must not count in the loss. Padding slots hold token 0, which any
/// vocabulary has; what it is does not matter.
TokenBatch pad_right(std::span<const Tokens> sequences);

/// A document's place in a packed batch.
struct PackedPlace {
  int64_t row = 0, begin = 0;
};

/// Places documents first-fit by decreasing length (Johnson 1974) into rows of `row_length`.
/// REQUIRES: every document has 1 to row_length tokens.
std::vector<PackedPlace> pack_places(std::span<const Tokens> documents, int64_t row_length);

/// The batch of documents at those places; attention stays within each document. Slots that no
/// document fills hold token 0 and see only themselves.
TokenBatch pack(std::span<const Tokens> documents, std::span<const PackedPlace> places,
                int64_t row_length);

}  // namespace rlhf
