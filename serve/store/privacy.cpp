#include "serve/store/privacy.h"

#include "serve/store/audit.h"
#include "serve/store/people.h"
#include "serve/store/personal_data.h"
#include "serve/store/refusals.h"
#include "serve/store/sqlite.h"
#include "serve/store/votes.h"

namespace rlhf::store {
namespace {

constexpr int64_t day = int64_t{24} * 3600 * 1'000'000;

void check_not_last_admin(Connection& connection, int64_t person) {
  const auto others = connection.value<int64_t>(
      "SELECT count(*) FROM people WHERE active AND role = ? AND id <> ?", Role::admin, person);
  const auto is_admin = connection.value<int64_t>(
      "SELECT 1 FROM people WHERE id = ? AND active AND role = ?", person, Role::admin);
  if (is_admin && others == 0) {
    conflict("person", "expected an active admin to be left, got none");
  }
}

/// REQUIRES: `condition` is ours and holds for a person's or a time's votes, ratings and leases.
int64_t delete_votes(Connection& connection, std::string_view condition, int64_t value) {
  connection.run(fmt::format("UPDATE comparisons SET votes = votes - (SELECT count(*) FROM votes v "
                             "WHERE v.comparison = comparisons.id AND v.undone IS NULL AND "
                             "v.choice <> 3 AND v.{0}) WHERE id IN (SELECT comparison FROM votes "
                             "WHERE {0})",
                             condition),
                 value);
  connection.run(fmt::format("DELETE FROM ratings WHERE answer IS NOT NULL AND {}", condition),
                 value);
  const int64_t votes = connection.run(fmt::format("DELETE FROM votes WHERE {}", condition), value);
  connection.run(fmt::format("DELETE FROM leases WHERE {} AND NOT EXISTS(SELECT 1 FROM votes v "
                             "WHERE v.lease = leases.id)",
                             condition),
                 value);
  return votes;
}

/// The log beside the database holds old pages until it is emptied. Whoever reads an older moment
/// may be in the way for longer than is waited here, with all writes: then the next call tries
/// again.
void empty_log(Store& store) {
  std::atomic<bool>& holds_erased = store.log_holds_erased();
  if (!holds_erased.exchange(false)) return;
  bool emptied = false;
  try {
    Connection connection(store.file(), Connection::Mode::write);
    connection.run("PRAGMA busy_timeout=1000");
    emptied = connection.value<int64_t>("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
  } catch (const Error&) {  // what was deleted stays so
  }
  if (!emptied) holds_erased = true;
}

}  // namespace

nlohmann::ordered_json data_of_person(Store& store, int64_t person) {
  return store.read([&](Connection& connection) { return personal_data(connection, person); });
}

void erase_person(Store& store, int64_t by, int64_t person, ErasedVotes votes) {
  store.write([&](Connection& connection) {
    check_not_last_admin(connection, person);
    const int64_t erased = connection.run(
        "UPDATE people SET name = 'erased-' || id, password = NULL, active = 0 WHERE id = ?",
        person);
    if (erased == 0) not_found("person", "expected a person, got the id {}", person);
    connection.run("DELETE FROM tokens WHERE person = ?", person);
    connection.run("DELETE FROM sessions WHERE person = ?", person);
    connection.run("DELETE FROM chats WHERE person = ?", person);
    connection.run("UPDATE leases SET state = 2 WHERE person = ? AND state = 0", person);
    if (votes == ErasedVotes::remove) {
      delete_votes(connection, "person = ?1", person);
    } else {
      connection.run("UPDATE votes SET note = '' WHERE person = ?", person);
    }
    add_audit(connection, store.now(), by, "erase_person",
              {{"person", person}, {"votes", votes == ErasedVotes::keep ? "keep" : "remove"}});
  });
  store.log_holds_erased() = true;
  empty_log(store);
}

RetentionCounts apply_retention(Store& store, int64_t by, const RetentionOptions& options) {
  const int64_t now = store.now();
  const RetentionCounts counts = store.write([&](Connection& connection) {
    RetentionCounts deleted;
    deleted.sessions = connection.run("DELETE FROM sessions WHERE expires <= ?", now);
    if (options.chats_days > 0) {
      deleted.chats =
          connection.run("DELETE FROM chats WHERE updated < ?", now - options.chats_days * day);
    }
    if (options.audit_days > 0) {
      deleted.audit =
          connection.run("DELETE FROM audit WHERE created < ?", now - options.audit_days * day);
    }
    if (options.votes_days > 0) {
      const int64_t before = now - options.votes_days * day;
      // What was judged long ago is not to be judged again because the votes went.
      connection.run(
          "UPDATE comparisons SET withdrawn = 1 WHERE withdrawn = 0 AND id IN (SELECT comparison "
          "FROM votes WHERE created < ?)",
          before);
      deleted.votes = delete_votes(connection, "created < ?1", before);
    }
    if (deleted.chats + deleted.audit + deleted.votes > 0) {
      add_audit(connection, now, by, "retention",
                {{"chats", deleted.chats}, {"audit", deleted.audit}, {"votes", deleted.votes}});
    }
    return deleted;
  });
  if (counts.chats + counts.audit + counts.votes + counts.sessions > 0) {
    store.log_holds_erased() = true;
  }
  empty_log(store);
  return counts;
}

}  // namespace rlhf::store
