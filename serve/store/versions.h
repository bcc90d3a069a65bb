// Which models there are and which one serves. One version is promoted; every change of that is a
// decision that keeps who, when and why. Rolling back is promoting a retired version.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "serve/store/store.h"

namespace rlhf::store {

enum class VersionState { candidate, promoted, retired, rejected };

/// "candidate", ...
std::string_view name_of(VersionState state);

struct ModelVersion {
  int64_t id = 0;
  std::optional<int64_t> parent;
  std::string path;    ///< model folder
  std::string digest;  ///< SHA-256 of its weights
  std::string method;  ///< "import", "dpo", "ppo", ...
  std::string note;
  VersionState state = VersionState::candidate;
  int64_t created = 0;
  nlohmann::json metrics;
};

/// `id`, `state` and `created` are given by the store: a new version is a candidate.
int64_t add_version(Store& store, int64_t by, const ModelVersion& version);
/// By id.
std::vector<ModelVersion> versions(Store& store);
std::optional<ModelVersion> find_version(Store& store, int64_t id);
std::optional<ModelVersion> find_version_of_digest(Store& store, std::string_view digest);
std::optional<ModelVersion> promoted_version(Store& store);

/// Makes it the one that serves; the one before is retired, the comparisons of this candidate end,
/// and the duels of the others begin anew, with the version that serves now. `over`: because it won
/// against that version.
/// @throws NotFound; Conflict when it is the promoted one already, or with `over` unless it is a
/// candidate and that version serves.
void promote(Store& store, int64_t by, int64_t id, const std::string& reason,
             std::optional<int64_t> over = std::nullopt);
/// `over`: because it lost against that version. @throws NotFound; Conflict unless it is a
/// candidate, and that version serves.
void reject(Store& store, int64_t by, int64_t id, const std::string& reason,
            std::optional<int64_t> over = std::nullopt);

struct Decision {
  int64_t id = 0, version = 0;
  std::optional<int64_t> previous;  ///< the version that served before a promotion
  std::string what;                 ///< "promote", "roll_back", "reject"
  int64_t by = the_program;
  std::string by_name;  ///< empty for the program
  std::string reason;
  int64_t created = 0;
};

/// The newest first.
std::vector<Decision> decisions(Store& store, int64_t limit = 100);

}  // namespace rlhf::store
