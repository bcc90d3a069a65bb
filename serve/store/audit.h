// What was changed by whom: a log that is only appended to. Functions of the store that change
// something for others than the caller write to it themselves, in the same transaction.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "serve/store/store.h"

namespace rlhf::store {

struct AuditEntry {
  int64_t id = 0;
  int64_t who = the_program;
  std::string who_name;   ///< empty for the program
  std::string what;       ///< "add_person", "promote", ...
  nlohmann::json detail;  ///< an object
  int64_t created = 0;
};

void add_audit(Store& store, int64_t who, std::string_view what, const nlohmann::json& detail = {});
/// The same as a part of a write.
void add_audit(Connection& connection, int64_t now, int64_t who, std::string_view what,
               const nlohmann::json& detail = {});

/// The newest first; those below the id `before`, if it is not 0.
std::vector<AuditEntry> audit_log(Store& store, int64_t before = 0, int64_t limit = 100);

}  // namespace rlhf::store
