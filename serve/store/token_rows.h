// Tokens as parts of larger writes.
#pragma once

#include <string>

#include "serve/store/sqlite.h"
#include "serve/store/store.h"

namespace rlhf::store {

/// @returns the token, of which the database holds a hash. @throws NotFound without such a person.
std::string insert_token(Store& store, Connection& connection, int64_t by, int64_t person,
                         const std::string& label);

}  // namespace rlhf::store
