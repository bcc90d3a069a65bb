// What people prefer. A vote that cast_vote() has returned survives a kill and a power cut, and is
// there once, however often it was sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "serve/store/comparisons.h"

namespace rlhf::store {

enum class Choice { better, tie, both_bad, skip };

/// "better", "tie", "both_bad", "skip".
std::string_view name_of(Choice choice);
/// @throws InputError for another name.
Choice choice_named(std::string_view name);

struct Vote {
  std::string request_id;  ///< the client's, 1 to 64 bytes: a retry is one vote
  int64_t lease = 0;
  Choice choice = Choice::better;
  std::optional<int> place = {};     ///< the place chosen; for `better`, and only then
  std::optional<int> strength = {};  ///< 1 slightly, 2 much; for `better` only
  std::string note = {};             ///< at most 4,000 bytes
  int64_t milliseconds = 0;          ///< from showing to choosing
};

struct CastVote {
  int64_t id = 0;
  bool repeated = false;  ///< the same request had been saved before
};

/// Saves a vote; on the disk when it returns. A lease that has run out is still voted on.
/// @throws InputError for values out of range; NotFound for a lease that is not the person's;
/// Conflict when the person has voted on this comparison or request_id is of another vote.
CastVote cast_vote(Store& store, int64_t person, const Vote& vote);

inline constexpr int64_t undo_time = int64_t{10} * 60 * 1'000'000;

/// Takes the person's last vote back, if it is at most ten minutes old, and leases that comparison
/// again with the same order; what the person was about to judge is released. `request_id` is that
/// of the undoing: sent twice, it undoes one vote. @throws Conflict when there is nothing to undo.
Lease undo_vote(Store& store, int64_t person, const std::string& request_id);

/// The id of the newest vote; 0 without any. What a learning has seen are the votes up to an id.
int64_t last_vote(Store& store);

/// Votes that stand and say something (skips do not), with ids above `after`.
int64_t votes_after(Store& store, int64_t after);

}  // namespace rlhf::store
