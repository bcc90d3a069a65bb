// What people think of one text by itself: a thumb or a score, of an answer that is being compared
// or of a chat's message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "serve/store/store.h"

namespace rlhf::store {

/// thumb: -1 or 1, 0 takes it back. score: 1 to 5.
enum class RatingKind { thumb, score };

struct Rating {
  std::string request_id;  ///< as a vote's
  /// Either an answer, by a lease of the person's and its place, or an assistant's message.
  std::optional<int64_t> lease = {};
  std::optional<int> place = {};
  std::optional<int64_t> message = {};
  RatingKind kind = RatingKind::thumb;
  int value = 0;
};

/// Saves a rating; of a person's ratings of one text and kind the latest counts.
/// @throws InputError for values out of range; NotFound for what is not the person's to rate.
int64_t rate(Store& store, int64_t person, const Rating& rating);

}  // namespace rlhf::store
