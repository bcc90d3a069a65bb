#include "serve/store/settings.h"

#include "core/json.h"
#include "serve/store/audit.h"
#include "serve/store/sqlite.h"

namespace rlhf::store {
namespace {

/// Settings of callers are apart from what the store keeps for itself.
std::string key_of(std::string_view name) { return fmt::format("setting/{}", name); }

}  // namespace

std::optional<nlohmann::json> setting(Store& store, std::string_view name) {
  return store.read([&](Connection& connection) -> std::optional<nlohmann::json> {
    const auto text =
        connection.value<std::string>("SELECT value FROM settings WHERE name = ?", key_of(name));
    if (!text) return std::nullopt;
    return parse_json(*text, name);
  });
}

void set_setting(Store& store, int64_t by, std::string_view name, const nlohmann::json& value) {
  store.write([&](Connection& connection) {
    connection.run("INSERT OR REPLACE INTO settings(name, value) VALUES(?, ?)", key_of(name),
                   value.dump());
    add_audit(connection, store.now(), by, "set_setting", {{"name", name}});
  });
}

}  // namespace rlhf::store
