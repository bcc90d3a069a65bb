// How people prove who they are: by password once, then by a session's token in a cookie; or by an
// API token. Tokens are 256 random bits; the database holds their SHA-256 only, so that whoever
// reads it cannot sign in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/store/people.h"

namespace rlhf::store {

struct Session {
  Person person;
  std::string token;    ///< for the cookie; not kept
  int64_t expires = 0;  ///< 30 days after its beginning
};

/// Too many wrong passwords for a name: 5 are free, then each doubles the wait, from 1 s to 60 s.
struct TooManyTries : InputError {
  TooManyTries(const std::string& message, int64_t wait) : InputError(message), seconds(wait) {}
  int64_t seconds;  ///< to wait before the next try
};

/// None when name or password is wrong, the person has no password or is not active; each takes the
/// same time. @throws TooManyTries
std::optional<Session> sign_in(Store& store, std::string_view name, std::string_view password);

/// The same with an API token.
std::optional<Session> sign_in_with_token(Store& store, std::string_view token);

/// Who a session's or an API token belongs to, if it is valid and the person active.
std::optional<Person> person_of_session(Store& store, std::string_view session);
std::optional<Person> person_of_token(Store& store, std::string_view token);

void sign_out(Store& store, std::string_view session);

struct ApiToken {
  int64_t id = 0, person = 0;
  std::string label;
  int64_t created = 0;
};

/// The token, shown once: 64 hexadecimal digits. @throws NotFound without such a person.
std::string new_token(Store& store, int64_t by, int64_t person, const std::string& label = "");
/// The same, and the person's tokens and sessions before it end: in one write, for without either
/// nobody might be left who can come in.
std::string renew_token(Store& store, int64_t by, int64_t person, const std::string& label = "");
std::vector<ApiToken> tokens_of(Store& store, int64_t person);
/// @throws NotFound
void revoke_token(Store& store, int64_t by, int64_t token);

}  // namespace rlhf::store
