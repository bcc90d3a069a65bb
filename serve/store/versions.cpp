#include "serve/store/versions.h"

#include "core/json.h"
#include "serve/store/audit.h"
#include "serve/store/comparison_rows.h"
#include "serve/store/refusals.h"

namespace rlhf::store {
namespace {

constexpr std::string_view state_names[] = {"candidate", "promoted", "retired", "rejected"};
constexpr std::string_view columns =
    "SELECT id, parent, path, digest, method, note, state, created, metrics FROM versions";

ModelVersion version_of(const Statement& row) {
  return {.id = row.get<int64_t>(0),
          .parent = row.get<std::optional<int64_t>>(1),
          .path = row.get<std::string>(2),
          .digest = row.get<std::string>(3),
          .method = row.get<std::string>(4),
          .note = row.get<std::string>(5),
          .state = row.get<VersionState>(6),
          .created = row.get<int64_t>(7),
          .metrics = parse_json(row.text(8), "metrics")};
}

template <class... Values>
std::optional<ModelVersion> one(Store& store, std::string_view condition, const Values&... values) {
  return store.read([&](Connection& connection) -> std::optional<ModelVersion> {
    auto row = connection.query(fmt::format("{} WHERE {}", columns, condition), values...);
    if (!row.step()) return std::nullopt;
    return version_of(row);
  });
}

VersionState state_of(Connection& connection, int64_t id) {
  const auto state = connection.value<VersionState>("SELECT state FROM versions WHERE id = ?", id);
  if (!state) not_found("version", "expected one that is there, got the id {}", id);
  return *state;
}

std::optional<int64_t> serving(Connection& connection) {
  return connection.value<int64_t>("SELECT id FROM versions WHERE state = ?",
                                   VersionState::promoted);
}

/// Votes speak of a candidate and the version that it was compared with. While they were weighed,
/// somebody may have decided otherwise.
void check_evidence(Connection& connection, VersionState state, int64_t over) {
  if (state == VersionState::candidate && serving(connection) == over) return;
  conflict("version", "expected a candidate and version {} to serve, got that changed", over);
}

/// Writes down what was decided, and ends the comparisons that asked about it.
void decide(Connection& connection, int64_t now, int64_t by, int64_t id,
            std::optional<int64_t> previous, std::string_view what, const std::string& reason) {
  connection.run(
      "INSERT INTO decisions(version, previous, what, who, reason, created) "
      "VALUES(?, ?, ?, ?, ?, ?)",
      id, previous, what, by, reason, now);
  // Those that have their votes as well: votes can go, by undoing or erasing.
  connection.run("UPDATE comparisons SET withdrawn = 1 WHERE candidate = ? AND withdrawn = 0", id);
  add_audit(connection, now, by, what, {{"version", id}, {"reason", reason}});
}

}  // namespace

std::string_view name_of(VersionState state) { return state_names[size_t(state)]; }

int64_t add_version(Store& store, int64_t by, const ModelVersion& version) {
  return store.write([&](Connection& connection) {
    if (version.parent) check_exists(connection, "versions", "parent", *version.parent);
    const int64_t id = connection.insert(
        "INSERT INTO versions(parent, path, digest, method, note, state, metrics, created) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
        version.parent, version.path, version.digest, version.method, version.note,
        VersionState::candidate, version.metrics.dump(), store.now());
    add_audit(connection, store.now(), by, "add_version",
              {{"version", id}, {"method", version.method}});
    return id;
  });
}

std::vector<ModelVersion> versions(Store& store) {
  return store.read([](Connection& connection) {
    return all_rows(connection.query(fmt::format("{} ORDER BY id", columns)), version_of);
  });
}

std::optional<ModelVersion> find_version(Store& store, int64_t id) {
  return one(store, "id = ?", id);
}

std::optional<ModelVersion> find_version_of_digest(Store& store, std::string_view digest) {
  return one(store, "digest = ? ORDER BY id DESC LIMIT 1", digest);
}

std::optional<ModelVersion> promoted_version(Store& store) {
  return one(store, "state = ?", VersionState::promoted);
}

void promote(Store& store, int64_t by, int64_t id, const std::string& reason,
             std::optional<int64_t> over) {
  store.write([&](Connection& connection) {
    const VersionState state = state_of(connection, id);
    if (over) check_evidence(connection, state, *over);
    if (state == VersionState::promoted) {
      conflict("version", "expected one that does not serve, got {}, which does", id);
    }
    const auto previous = serving(connection);
    connection.run("UPDATE versions SET state = ? WHERE state = ?", VersionState::retired,
                   VersionState::promoted);
    connection.run("UPDATE versions SET state = ? WHERE id = ?", VersionState::promoted, id);
    // The candidates that stay are to be better than the version that serves now.
    connection.run(
        "UPDATE comparisons SET withdrawn = 2 WHERE candidate IN (SELECT id FROM versions WHERE "
        "state = ?)",
        VersionState::candidate);
    decide(connection, store.now(), by, id, previous,
           state == VersionState::retired ? "roll_back" : "promote", store.cleaned(reason));
  });
}

void reject(Store& store, int64_t by, int64_t id, const std::string& reason,
            std::optional<int64_t> over) {
  store.write([&](Connection& connection) {
    const VersionState state = state_of(connection, id);
    if (over) check_evidence(connection, state, *over);
    if (state != VersionState::candidate) {
      conflict("version", "expected a candidate, got one that is {}", name_of(state));
    }
    connection.run("UPDATE versions SET state = ? WHERE id = ?", VersionState::rejected, id);
    decide(connection, store.now(), by, id, {}, "reject", store.cleaned(reason));
  });
}

std::vector<Decision> decisions(Store& store, int64_t limit) {
  return store.read([&](Connection& connection) {
    return all_rows(
        connection.query("SELECT d.id, version, previous, what, who, coalesce(p.name, ''), reason, "
                         "d.created FROM decisions d LEFT JOIN people p ON p.id = who "
                         "ORDER BY d.id DESC LIMIT ?",
                         limit),
        [](const Statement& row) {
          return Decision{.id = row.get<int64_t>(0),
                          .version = row.get<int64_t>(1),
                          .previous = row.get<std::optional<int64_t>>(2),
                          .what = row.get<std::string>(3),
                          .by = row.get<int64_t>(4),
                          .by_name = row.get<std::string>(5),
                          .reason = row.get<std::string>(6),
                          .created = row.get<int64_t>(7)};
        });
  });
}

}  // namespace rlhf::store
