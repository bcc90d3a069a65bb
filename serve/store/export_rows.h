// Votes and ratings with all that is known about them, and the rows that files hold of them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "serve/store/comparisons.h"
#include "serve/store/ratings.h"
#include "serve/store/votes.h"

namespace rlhf::store {

/// A vote as it stands in the database.
struct KeptVote {
  int64_t id = 0;
  std::string annotator;
  Comparison comparison;
  std::vector<int> order;
  Choice choice = Choice::better;
  std::optional<int> place, slot, strength;
  std::string note;
  int64_t milliseconds = 0, created = 0;
  std::optional<int64_t> undone;
};

/// A rated text and what it answered.
struct KeptRating {
  int64_t id = 0;
  std::string annotator;
  Prompt prompt;
  std::string text;
  int64_t version = 0;
  Sampling sampling;
  RatingKind kind = RatingKind::thumb;
  int value = 0;
  int64_t created = 0;
};

using Rows = std::vector<nlohmann::ordered_json>;

/// None where the texts cannot be told apart or one is empty.
Rows preference_rows(const KeptVote& vote);
/// Two of a preference and of "both bad", none otherwise.
Rows label_rows(const KeptVote& vote);
/// One of what preference_rows() has no row for.
Rows tie_rows(const KeptVote& vote);
Rows log_rows(const KeptVote& vote);

/// One of a thumb for kto, one of a score for scores; none of an empty text.
Rows rating_rows(const KeptRating& rating);

}  // namespace rlhf::store
