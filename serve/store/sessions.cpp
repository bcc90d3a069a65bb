#include "serve/store/sessions.h"

#include <algorithm>
#include <cctype>

#include "serve/store/audit.h"
#include "serve/store/comparison_rows.h"
#include "serve/store/login_delay.h"
#include "serve/store/refusals.h"
#include "serve/store/secrets.h"
#include "serve/store/sqlite.h"
#include "serve/store/token_rows.h"

namespace rlhf::store {
namespace {

constexpr int64_t session_time = int64_t{30} * 24 * 3600 * 1'000'000;

Session begin_session(Store& store, int64_t person) {
  Session session{.token = random_token(), .expires = store.now() + session_time};
  store.write([&](Connection& connection) {
    connection.run("INSERT INTO sessions(hash, person, created, expires) VALUES(?, ?, ?, ?)",
                   hash_of_token(session.token), person, store.now(), session.expires);
  });
  session.person = *find_person(store, person);
  return session;
}

/// The person whose id a statement gives, if active.
std::optional<Person> active_person(Store& store, const std::optional<int64_t>& id) {
  if (!id) return std::nullopt;
  auto person = find_person(store, *id);
  return person && person->active ? person : std::nullopt;
}

}  // namespace

std::optional<Session> sign_in(Store& store, std::string_view name, std::string_view password) {
  if (const int64_t wait = store.login_delay().seconds_left(name, store.now()); wait > 0) {
    throw TooManyTries(
        fmt::format("[password] expected a try in {} s, got one too many before", wait), wait);
  }
  std::optional<int64_t> id;
  std::optional<std::string> hash;
  store.read([&](Connection& connection) {
    auto row = connection.query("SELECT id, password FROM people WHERE name = ? AND active", name);
    if (!row.step()) return;
    id = row.get<int64_t>(0);
    hash = row.get<std::optional<std::string>>(1);
  });
  // A name that nobody has takes as long as a wrong password.
  static const std::string nobody = hash_of_password("nobody");
  if (!password_fits(password, hash.value_or(nobody)) || !hash) {
    store.login_delay().failed(name, store.now());
    return std::nullopt;
  }
  store.login_delay().succeeded(name);
  return begin_session(store, *id);
}

std::optional<Session> sign_in_with_token(Store& store, std::string_view token) {
  const auto person = person_of_token(store, token);
  if (!person) return std::nullopt;
  return begin_session(store, person->id);
}

std::optional<Person> person_of_session(Store& store, std::string_view session) {
  if (session.empty()) return std::nullopt;
  return active_person(store, store.read([&](Connection& connection) {
    return connection.value<int64_t>("SELECT person FROM sessions WHERE hash = ? AND expires > ?",
                                     hash_of_token(session), store.now());
  }));
}

std::optional<Person> person_of_token(Store& store, std::string_view token) {
  if (token.empty()) return std::nullopt;
  return active_person(store, store.read([&](Connection& connection) {
    return connection.value<int64_t>("SELECT person FROM tokens WHERE hash = ?",
                                     hash_of_token(token));
  }));
}

void sign_out(Store& store, std::string_view session) {
  store.write([&](Connection& connection) {
    connection.run("DELETE FROM sessions WHERE hash = ?", hash_of_token(session));
  });
}

std::string insert_token(Store& store, Connection& connection, int64_t by, int64_t person,
                         const std::string& label) {
  check_exists(connection, "people", "person", person);
  const std::string token = random_token();
  const int64_t id =
      connection.insert("INSERT INTO tokens(hash, person, label, created) VALUES(?, ?, ?, ?)",
                        hash_of_token(token), person, store.cleaned(label), store.now());
  add_audit(connection, store.now(), by, "new_token", {{"person", person}, {"token", id}});
  return token;
}

std::string new_token(Store& store, int64_t by, int64_t person, const std::string& label) {
  return store.write(
      [&](Connection& connection) { return insert_token(store, connection, by, person, label); });
}

std::string renew_token(Store& store, int64_t by, int64_t person, const std::string& label) {
  return store.write([&](Connection& connection) {
    connection.run("DELETE FROM tokens WHERE person = ?", person);
    connection.run("DELETE FROM sessions WHERE person = ?", person);
    add_audit(connection, store.now(), by, "revoke_all", {{"person", person}});
    return insert_token(store, connection, by, person, label);
  });
}

std::vector<ApiToken> tokens_of(Store& store, int64_t person) {
  return store.read([&](Connection& connection) {
    return all_rows(
        connection.query("SELECT id, person, label, created FROM tokens WHERE person = ?", person),
        [](const Statement& row) {
          return ApiToken{.id = row.get<int64_t>(0),
                          .person = row.get<int64_t>(1),
                          .label = row.get<std::string>(2),
                          .created = row.get<int64_t>(3)};
        });
  });
}

void revoke_token(Store& store, int64_t by, int64_t token) {
  store.write([&](Connection& connection) {
    if (connection.run("DELETE FROM tokens WHERE id = ?", token) == 0) {
      not_found("token", "expected a token, got the id {}", token);
    }
    add_audit(connection, store.now(), by, "revoke_token", {{"token", token}});
  });
}

}  // namespace rlhf::store
