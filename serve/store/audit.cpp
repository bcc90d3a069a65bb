#include "serve/store/audit.h"

#include "core/json.h"
#include "serve/store/sqlite.h"

namespace rlhf::store {

void add_audit(Connection& connection, int64_t now, int64_t who, std::string_view what,
               const nlohmann::json& detail) {
  connection.run("INSERT INTO audit(who, what, detail, created) VALUES(?, ?, ?, ?)", who, what,
                 detail.is_null() ? "{}" : detail.dump(), now);
}

void add_audit(Store& store, int64_t who, std::string_view what, const nlohmann::json& detail) {
  store.write(
      [&](Connection& connection) { add_audit(connection, store.now(), who, what, detail); });
}

std::vector<AuditEntry> audit_log(Store& store, int64_t before, int64_t limit) {
  return store.read([&](Connection& connection) {
    return all_rows(connection.query("SELECT a.id, who, coalesce(p.name, ''), what, detail, "
                                     "a.created FROM audit a LEFT JOIN people p ON p.id = who "
                                     "WHERE ? = 0 OR a.id < ? ORDER BY a.id DESC LIMIT ?",
                                     before, before, limit),
                    [](const Statement& row) {
                      return AuditEntry{.id = row.get<int64_t>(0),
                                        .who = row.get<int64_t>(1),
                                        .who_name = row.get<std::string>(2),
                                        .what = row.get<std::string>(3),
                                        .detail = parse_json(row.text(4), "audit"),
                                        .created = row.get<int64_t>(5)};
                    });
  });
}

}  // namespace rlhf::store
