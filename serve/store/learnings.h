// Training runs on what people said: from which votes, from which version, with what result.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "serve/store/store.h"

namespace rlhf::store {

enum class LearningState { running, done, failed, cancelled };

/// "running", ...
std::string_view name_of(LearningState state);

struct Learning {
  int64_t id = 0;
  std::string method;  ///< "dpo", "ppo", ...
  LearningState state = LearningState::running;
  int64_t votes_until = 0;  ///< the newest vote that it learns from
  int64_t base_version = 0;
  std::optional<int64_t> result_version;
  std::string run;         ///< its folder
  nlohmann::json figures;  ///< settings, sizes, metrics, ...
  std::string error;       ///< of one that failed
  int64_t by = the_program;
  int64_t started = 0;
  std::optional<int64_t> ended;
};

struct NewLearning {
  std::string method;
  int64_t votes_until = 0, base_version = 0;
  std::string run = {};
  nlohmann::json figures = nlohmann::json::object();
};

/// @throws Conflict when one is running; NotFound for a version that is not there.
int64_t start_learning(Store& store, int64_t by, const NewLearning& learning);
/// Its folder, once there is one, and figures. @throws NotFound
void update_learning(Store& store, int64_t id, const std::string& run,
                     const nlohmann::json& figures);

struct LearningEnd {
  LearningState state = LearningState::done;
  std::optional<int64_t> result_version = {};
  nlohmann::json figures = {};  ///< null: as they were
  std::string error = {};
};
/// @throws Conflict unless it is running.
void end_learning(Store& store, int64_t id, const LearningEnd& end);

std::optional<Learning> running_learning(Store& store);
std::optional<Learning> last_learning(Store& store, LearningState state = LearningState::done);
/// The newest first.
std::vector<Learning> learnings(Store& store, int64_t limit = 100);

/// Votes that no finished learning has seen: votes_after() the last one's.
int64_t new_votes(Store& store);

}  // namespace rlhf::store
