// Who may use the server. Passwords are kept as scrypt hashes only, see sessions.h for how people
// prove who they are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/store/store.h"

namespace rlhf::store {

enum class Role { annotator, admin };

/// "annotator", "admin".
std::string_view name_of(Role role);
/// @throws InputError for another name.
Role role_named(std::string_view name);

struct Person {
  int64_t id = 0;
  std::string name;
  Role role = Role::annotator;
  bool active = true;
  int64_t created = 0;
  bool has_password = false;
};

/// @throws InputError for a name that is empty, longer than 64 bytes or has control characters, or
/// a password shorter than 8 bytes or longer than 1024; Conflict when the name is taken (names are
/// compared without case).
int64_t add_person(Store& store, int64_t by, const std::string& name, Role role,
                   const std::optional<std::string>& password = {});

struct NewPerson {
  int64_t id = 0;
  std::string token;  ///< API token, shown once
};
/// The same with a token, in one write: nobody is there who cannot come in.
NewPerson add_person_with_token(Store& store, int64_t by, const std::string& name, Role role,
                                const std::optional<std::string>& password = {},
                                const std::string& label = "");

/// All of them, by id.
std::vector<Person> people(Store& store);
std::optional<Person> find_person(Store& store, int64_t id);
std::optional<Person> find_person(Store& store, std::string_view name);

/// What a change leaves alone is none.
struct PersonChange {
  std::optional<Role> role = {};
  std::optional<bool> active = {};  ///< false: cannot sign in, and sessions end
  std::optional<std::string> password = {};
};

/// A new password ends the person's sessions. @throws NotFound; Conflict when no active admin would
/// be left.
void change_person(Store& store, int64_t by, int64_t person, const PersonChange& change);

}  // namespace rlhf::store
