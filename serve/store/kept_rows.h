// Goes through votes and ratings in the order of their ids, for exports.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "serve/store/export_rows.h"
#include "serve/store/sqlite.h"

namespace rlhf::store {

/// (after, until], by vote; none: no limit.
struct VoteRange {
  std::optional<int64_t> after, until;
};

using Naming = std::function<std::string(int64_t person, std::string_view name)>;

/// Undone ones and skips, too.
void each_vote(Connection& connection, const VoteRange& range, const Naming& naming,
               const std::function<void(const KeptVote&)>& use);

/// The latest of each person, text and kind; those from the time of the votes in the range.
void each_rating(Connection& connection, RatingKind kind, const VoteRange& range,
                 const Naming& naming, const std::function<void(const KeptRating&)>& use);

}  // namespace rlhf::store
