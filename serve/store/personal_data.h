// Everything that the tables hold about one person.
#pragma once

#include <nlohmann/json.hpp>

#include "serve/store/sqlite.h"

namespace rlhf::store {

/// @throws NotFound
nlohmann::ordered_json personal_data(Connection& connection, int64_t person);

}  // namespace rlhf::store
