// Token sequences of different lengths as one rectangle that a model reads: padded, or packed with
// several documents to a row that cannot see each other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ops.h"

namespace rlhf {

using Tokens = std::vector<int32_t>;

/// B rows of T tokens. `position` counts from 0 within each document; `span` is undefined when
/// every row is one document from its first token on.
struct TokenBatch {
  int64_t B = 0, T = 0;
  Tensor token;     ///< i32 (B, T)
  Tensor position;  ///< i32 (B, T)
  AttentionSpan span;
};

/// How much larger than need be a rectangle is made, so that few shapes exist and each of them
/// comes again: by default not at all.
struct Padding {
  int64_t rows = 0;    ///< of a full batch: others get a multiple of its quarter; 0: as many as are
  int64_t length = 0;  ///< of the longest sequence that may come: recurring_size; 0: as long as are

  /// What suits a device that records its work for each shape (core/recorder.h). The CPU has
  /// nothing to record and would only have more to compute.
  static Padding on(Device device, int64_t rows, int64_t length);
  int64_t padded_rows(int64_t count) const;
  int64_t padded_length(int64_t count) const;
};

/// The next of few sizes: multiples of 16 up to 128, from there on eight to a doubling, so that
/// none grows by more than an eighth; and `most` itself. REQUIRES: 1 <= size <= most.
int64_t recurring_size(int64_t size, int64_t most);

/// One sequence a row, padded on the right to the longest, then as `padding` says. Causal attention
/// never looks right, so padding needs no mask: it only must not count in the loss. Padding slots
/// hold token 0, which any vocabulary has; what it is does not matter.
TokenBatch pad_right(std::span<const Tokens> sequences, const Padding& padding = {});

/// A document's place in a packed batch.
struct PackedPlace {
  int64_t row = 0, begin = 0;
};

/// Places documents first-fit by decreasing length (Johnson 1974) into rows of `row_length`.
/// REQUIRES: every document has 1 to row_length tokens.
std::vector<PackedPlace> pack_places(std::span<const Tokens> documents, int64_t row_length);

/// The batch of documents at those places; attention stays within each document. Slots that no
/// document fills hold token 0 and see only themselves. Only rows are padded: the length is given.
TokenBatch pack(std::span<const Tokens> documents, std::span<const PackedPlace> places,
                int64_t row_length, const Padding& padding = {});

}  // namespace rlhf
