// Who may come in: tokens and sessions of the database as callers of the HTTP layer, and the first
// person, whom a new database gets so that somebody can let the others in.
#pragma once

#include <filesystem>
#include <string>

#include "serve/http/request.h"
#include "serve/store/people.h"

namespace rlhf::serve {

/// The store must outlive it.
http::Authenticate authenticate_by(store::Store& store);

/// The JSON that tells a person about themselves.
nlohmann::ordered_json person_json(const store::Person& person);

/// Sees to it that the operator can sign in: without any person there will be an admin named
/// "admin"; their token stands in `file`, readable by the process's user alone. A file whose token
/// is no longer valid gets a new one. `renew`: a new one in any case, and the first admin's
/// sessions and tokens before it end.
/// @returns the token; empty when there are people, but no file: they have their own.
std::string operator_token(store::Store& store, const std::filesystem::path& file, bool renew);

}  // namespace rlhf::serve
