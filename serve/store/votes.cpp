#include "serve/store/votes.h"

#include "serve/store/comparison_rows.h"
#include "serve/store/refusals.h"
#include "serve/store/request_id.h"

namespace rlhf::store {
namespace {

constexpr std::string_view choice_names[] = {"better", "tie", "both_bad", "skip"};
constexpr size_t longest_note = 4000;
constexpr int64_t longest_look = int64_t{24} * 3600 * 1000;

void check_vote(const Vote& vote) {
  check_request_id(vote.request_id);
  const bool better = vote.choice == Choice::better;
  if (better != vote.place.has_value()) {
    input_error("place", "expected one for \"better\" and none otherwise, got {}",
                vote.place ? "one" : "none");
  }
  if (vote.strength && (!better || *vote.strength < 1 || *vote.strength > 2)) {
    input_error("strength", "expected 1 or 2, for \"better\" only, got {}", *vote.strength);
  }
  if (vote.note.size() > longest_note) {
    input_error("note", "expected at most {} bytes, got {}", longest_note, vote.note.size());
  }
  if (vote.milliseconds < 0 || vote.milliseconds > longest_look) {
    input_error("milliseconds", "expected 0 to {}, got {}", longest_look, vote.milliseconds);
  }
}

/// The vote that this request has saved before, if there is one.
std::optional<CastVote> saved_before(Connection& connection, int64_t person, const Vote& vote) {
  auto row = connection.query(
      "SELECT id, lease, choice, place FROM votes WHERE person = ? AND request = ?", person,
      vote.request_id);
  if (!row.step()) return std::nullopt;
  if (row.get<int64_t>(1) != vote.lease || row.get<Choice>(2) != vote.choice ||
      row.get<std::optional<int>>(3) != vote.place) {
    conflict("request_id", "expected a new one for another vote, got {} again",
             quote(vote.request_id));
  }
  return CastVote{.id = row.get<int64_t>(0), .repeated = true};
}

void count_vote(Connection& connection, int64_t comparison, Choice choice, int change) {
  if (choice == Choice::skip) return;
  connection.run("UPDATE comparisons SET votes = votes + ? WHERE id = ?", change, comparison);
}

}  // namespace

std::string_view name_of(Choice choice) { return choice_names[size_t(choice)]; }
Choice choice_named(std::string_view name) {
  return enumerator_named<Choice>("choice", name, choice_names);
}

CastVote cast_vote(Store& store, int64_t person, const Vote& vote) {
  check_vote(vote);
  const std::string note = store.cleaned(vote.note);
  return store.write([&](Connection& connection) {
    if (const auto saved = saved_before(connection, person, vote)) return *saved;
    const LeaseRow found = load_lease(connection, person, vote.lease);
    const std::vector<int>& order = found.lease.order;
    const int64_t comparison = found.lease.comparison.id;
    if (vote.place && (*vote.place < 0 || size_t(*vote.place) >= order.size())) {
      input_error("place", "expected 0 to {}, got {}", order.size() - 1, *vote.place);
    }
    if (found.state == LeaseState::released) {
      conflict("lease", "expected an open one, got {}, which was given back", vote.lease);
    }
    if (connection.value<int64_t>("SELECT id FROM votes WHERE comparison = ? AND person = ? AND "
                                  "undone IS NULL",
                                  comparison, person)) {
      conflict("lease", "expected one vote a person and comparison, got a second one");
    }
    std::optional<int64_t> slot;
    if (vote.place) slot = order[size_t(*vote.place)];
    const int64_t id = connection.insert(
        "INSERT INTO votes(request, person, comparison, lease, choice, place, slot, strength, "
        "note, milliseconds, created) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        vote.request_id, person, comparison, vote.lease, vote.choice, vote.place, slot,
        vote.strength, note, vote.milliseconds, store.now());
    connection.run("UPDATE leases SET state = 1 WHERE id = ?", vote.lease);
    // A lease that had run out may be voted on after the same comparison was leased once more.
    connection.run("UPDATE leases SET state = 2 WHERE person = ? AND comparison = ? AND state = 0",
                   person, comparison);
    count_vote(connection, comparison, vote.choice, 1);
    return CastVote{.id = id};
  });
}

Lease undo_vote(Store& store, int64_t person, const std::string& request_id) {
  check_request_id(request_id);
  return store.write([&](Connection& connection) {
    if (const auto before = connection.value<int64_t>(
            "SELECT lease FROM votes WHERE person = ? AND undo_request = ?", person, request_id)) {
      LeaseRow found = load_lease(connection, person, *before);
      if (found.state == LeaseState::voted) conflict("undo", "expected a vote, found none left");
      return found.lease;
    }
    const int64_t now = store.now();
    auto row = connection.query(
        "SELECT id, lease, comparison, choice FROM votes WHERE person = ? AND undone IS NULL AND "
        "created > ? ORDER BY id DESC LIMIT 1",
        person, now - undo_time);
    if (!row.step()) conflict("undo", "expected a vote of the last ten minutes, found none");
    const auto lease = row.get<int64_t>(1);
    connection.run("UPDATE votes SET undone = ?, undo_request = ? WHERE id = ?", now, request_id,
                   row.get<int64_t>(0));
    count_vote(connection, row.get<int64_t>(2), row.get<Choice>(3), -1);
    connection.run("UPDATE leases SET state = 2 WHERE person = ? AND state = 0", person);
    connection.run("UPDATE leases SET state = 0, until = ? WHERE id = ?", now + lease_time, lease);
    return load_lease(connection, person, lease).lease;
  });
}

int64_t last_vote(Store& store) {
  return store.read([](Connection& connection) {
    return connection.value<int64_t>("SELECT max(id) FROM votes").value_or(0);
  });
}

int64_t votes_after(Store& store, int64_t after) {
  return store.read([&](Connection& connection) {
    return *connection.value<int64_t>(
        "SELECT count(*) FROM votes WHERE id > ? AND undone IS NULL AND choice <> ?", after,
        Choice::skip);
  });
}

}  // namespace rlhf::store
