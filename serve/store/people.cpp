#include "serve/store/people.h"

#include "core/unicode.h"
#include "serve/store/audit.h"
#include "serve/store/refusals.h"
#include "serve/store/secrets.h"
#include "serve/store/sqlite.h"
#include "serve/store/token_rows.h"

namespace rlhf::store {
namespace {

constexpr std::string_view role_names[] = {"annotator", "admin"};
constexpr std::string_view columns =
    "SELECT id, name, role, active, created, password IS NOT NULL FROM people";

Person person_of(const Statement& row) {
  return {.id = row.get<int64_t>(0),
          .name = row.get<std::string>(1),
          .role = row.get<Role>(2),
          .active = row.get<bool>(3),
          .created = row.get<int64_t>(4),
          .has_password = row.get<bool>(5)};
}

void check_name(std::string_view name) {
  if (name.empty() || name.size() > 64) {
    input_error("name", "expected 1 to 64 bytes, got {}", name.size());
  }
  if (name.starts_with("erased-")) {
    input_error("name", "expected one that is not kept for people who left, got {}", quote(name));
  }
  if (find_invalid_utf8(name)) input_error("name", "expected UTF-8, got {}", quote(name));
  for (size_t at = 0; at < name.size();) {
    const CodePoint point = code_point_at(name, at);
    if (steers_display(point.value)) {
      input_error("name", "expected letters that can be shown, got {}", quote(name));
    }
    at += size_t(point.length);
  }
}

std::optional<std::string> checked_hash(const std::optional<std::string>& password) {
  if (!password) return std::nullopt;
  if (password->size() < 8 || password->size() > 1024) {
    input_error("password", "expected 8 to 1024 bytes, got {}", password->size());
  }
  return hash_of_password(*password);
}

int64_t insert_person(Store& store, Connection& connection, int64_t by, const std::string& name,
                      Role role, const std::optional<std::string>& hash) {
  if (connection.value<int64_t>("SELECT id FROM people WHERE name = ?", name)) {
    conflict("name", "expected a name that nobody has, got {}", quote(name));
  }
  const int64_t id =
      connection.insert("INSERT INTO people(name, role, password, created) VALUES(?, ?, ?, ?)",
                        name, role, hash, store.now());
  add_audit(connection, store.now(), by, "add_person",
            {{"person", id}, {"role", std::string(name_of(role))}});
  return id;
}

std::optional<Person> one(Statement row) {
  if (!row.step()) return std::nullopt;
  return person_of(row);
}

}  // namespace

std::string_view name_of(Role role) { return role_names[size_t(role)]; }
Role role_named(std::string_view name) { return enumerator_named<Role>("role", name, role_names); }

int64_t add_person(Store& store, int64_t by, const std::string& name, Role role,
                   const std::optional<std::string>& password) {
  check_name(name);
  const auto hash = checked_hash(password);
  return store.write([&](Connection& connection) {
    return insert_person(store, connection, by, name, role, hash);
  });
}

NewPerson add_person_with_token(Store& store, int64_t by, const std::string& name, Role role,
                                const std::optional<std::string>& password,
                                const std::string& label) {
  check_name(name);
  const auto hash = checked_hash(password);
  return store.write([&](Connection& connection) {
    const int64_t id = insert_person(store, connection, by, name, role, hash);
    return NewPerson{.id = id, .token = insert_token(store, connection, by, id, label)};
  });
}

std::vector<Person> people(Store& store) {
  return store.read([](Connection& connection) {
    return all_rows(connection.query(fmt::format("{} ORDER BY id", columns)), person_of);
  });
}

std::optional<Person> find_person(Store& store, int64_t id) {
  return store.read([&](Connection& connection) {
    return one(connection.query(fmt::format("{} WHERE id = ?", columns), id));
  });
}

std::optional<Person> find_person(Store& store, std::string_view name) {
  return store.read([&](Connection& connection) {
    return one(connection.query(fmt::format("{} WHERE name = ?", columns), name));
  });
}

void change_person(Store& store, int64_t by, int64_t person, const PersonChange& change) {
  const auto hash = checked_hash(change.password);
  store.write([&](Connection& connection) {
    const int64_t changed = connection.run(
        "UPDATE people SET role = coalesce(?, role), active = coalesce(?, active), "
        "password = coalesce(?, password) WHERE id = ?",
        change.role, change.active, hash, person);
    if (changed == 0) not_found("person", "expected a person, got the id {}", person);
    const bool lowers = change.role == Role::annotator || change.active == false;
    if (lowers && connection.value<int64_t>("SELECT count(*) FROM people WHERE active AND "
                                            "role = ?",
                                            Role::admin) == 0) {
      conflict("person", "expected an active admin to be left, got none");
    }
    if (hash || change.active == false) {
      connection.run("DELETE FROM sessions WHERE person = ?", person);
    }
    nlohmann::json detail{{"person", person}};
    if (change.role) detail["role"] = std::string(name_of(*change.role));
    if (change.active) detail["active"] = *change.active;
    if (hash) detail["password"] = "new";
    add_audit(connection, store.now(), by, "change_person", detail);
  });
}

}  // namespace rlhf::store
