#include "serve/store/learnings.h"

#include "core/json.h"
#include "serve/store/audit.h"
#include "serve/store/comparison_rows.h"
#include "serve/store/refusals.h"
#include "serve/store/votes.h"

namespace rlhf::store {
namespace {

constexpr std::string_view state_names[] = {"running", "done", "failed", "cancelled"};
constexpr std::string_view columns =
    "SELECT id, method, state, votes_until, base_version, result_version, run, figures, error, "
    "who, started, ended FROM learnings";

Learning learning_of(const Statement& row) {
  return {.id = row.get<int64_t>(0),
          .method = row.get<std::string>(1),
          .state = row.get<LearningState>(2),
          .votes_until = row.get<int64_t>(3),
          .base_version = row.get<int64_t>(4),
          .result_version = row.get<std::optional<int64_t>>(5),
          .run = row.get<std::string>(6),
          .figures = parse_json(row.text(7), "figures"),
          .error = row.get<std::string>(8),
          .by = row.get<int64_t>(9),
          .started = row.get<int64_t>(10),
          .ended = row.get<std::optional<int64_t>>(11)};
}

}  // namespace

std::string_view name_of(LearningState state) { return state_names[size_t(state)]; }

int64_t start_learning(Store& store, int64_t by, const NewLearning& learning) {
  return store.write([&](Connection& connection) {
    check_exists(connection, "versions", "base_version", learning.base_version);
    if (const auto running = connection.value<int64_t>("SELECT id FROM learnings WHERE state = ?",
                                                       LearningState::running)) {
      conflict("learning", "expected none that runs, got {}", *running);
    }
    const int64_t id = connection.insert(
        "INSERT INTO learnings(method, state, votes_until, base_version, run, figures, error, who, "
        "started) VALUES(?, ?, ?, ?, ?, ?, '', ?, ?)",
        learning.method, LearningState::running, learning.votes_until, learning.base_version,
        learning.run, learning.figures.dump(), by, store.now());
    add_audit(connection, store.now(), by, "start_learning",
              {{"learning", id}, {"method", learning.method}});
    return id;
  });
}

void update_learning(Store& store, int64_t id, const std::string& run,
                     const nlohmann::json& figures) {
  store.write([&](Connection& connection) {
    check_exists(connection, "learnings", "learning", id);
    connection.run("UPDATE learnings SET run = ?, figures = ? WHERE id = ?", run, figures.dump(),
                   id);
  });
}

void end_learning(Store& store, int64_t id, const LearningEnd& end) {
  check(end.state != LearningState::running, "learning", "expected an end, got running");
  const std::optional<std::string> figures =
      end.figures.is_null() ? std::nullopt : std::optional(end.figures.dump());
  store.write([&](Connection& connection) {
    const int64_t ended = connection.run(
        "UPDATE learnings SET state = ?, result_version = ?, figures = coalesce(?, figures), "
        "error = ?, ended = ? WHERE id = ? AND state = ?",
        end.state, end.result_version, figures, end.error, store.now(), id, LearningState::running);
    if (ended == 0) conflict("learning", "expected one that runs, got {}", id);
    add_audit(connection, store.now(), the_program, "end_learning",
              {{"learning", id}, {"state", std::string(name_of(end.state))}});
  });
}

std::optional<Learning> running_learning(Store& store) {
  return last_learning(store, LearningState::running);
}

std::optional<Learning> last_learning(Store& store, LearningState state) {
  return store.read([&](Connection& connection) -> std::optional<Learning> {
    auto row = connection.query(fmt::format("{} WHERE state = ? ORDER BY id DESC LIMIT 1", columns),
                                state);
    if (!row.step()) return std::nullopt;
    return learning_of(row);
  });
}

std::vector<Learning> learnings(Store& store, int64_t limit) {
  return store.read([&](Connection& connection) {
    return all_rows(connection.query(fmt::format("{} ORDER BY id DESC LIMIT ?", columns), limit),
                    learning_of);
  });
}

int64_t new_votes(Store& store) {
  const auto last = last_learning(store);
  return votes_after(store, last ? last->votes_until : 0);
}

}  // namespace rlhf::store
