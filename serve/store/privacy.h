// What the people whose data this is may ask for: all of it, or that it goes.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "serve/store/store.h"

namespace rlhf::store {

/// Everything that is kept about a person. @throws NotFound
nlohmann::ordered_json data_of_person(Store& store, int64_t person);

enum class ErasedVotes { keep, remove };

/// The name becomes "erased-<id>"; password, tokens, sessions, chats with their ratings, and notes
/// go, votes and ratings of answers stay without a name or go. Deleted bytes are overwritten in the
/// file; backups and exports made before are not reached. @throws NotFound; Conflict for the last
/// active admin.
void erase_person(Store& store, int64_t by, int64_t person, ErasedVotes votes);

struct RetentionOptions {
  int chats_days = 0;  ///< 0: for ever; counted from the last message
  int audit_days = 0;
  int votes_days = 0;  ///< votes and ratings of answers
};

struct RetentionCounts {
  int64_t chats = 0, audit = 0, votes = 0, sessions = 0;
};

/// Deletes what is older, and sessions that have run out. Empties the log, too, where an erasure
/// before could not.
RetentionCounts apply_retention(Store& store, int64_t by, const RetentionOptions& options);

}  // namespace rlhf::store
