#include "serve/store/statistics.h"

#include <algorithm>
#include <ctime>
#include <map>

#include "serve/store/agreement_rows.h"
#include "serve/store/proportion.h"
#include "serve/store/sqlite.h"
#include "serve/store/votes.h"

namespace rlhf::store {
namespace {

/// When the day of a time began on this machine, in microseconds.
int64_t midnight_before(int64_t time) {
  const std::time_t seconds = std::time_t(time / 1'000'000);
  std::tm day{};
  localtime_r(&seconds, &day);
  day.tm_hour = day.tm_min = day.tm_sec = 0;
  day.tm_isdst = -1;
  return int64_t(std::mktime(&day)) * 1'000'000;
}

/// What the votes of a person add up to.
struct Tally {
  ChoiceCounts choices;
  PositionBias position;
  int64_t today = 0;
  std::vector<int64_t> milliseconds;   // of judgements
  int64_t shared = 0;                  // judgements that others share
  int64_t pairs = 0, equal_pairs = 0;  // of one of these and one of somebody else
};

/// By person; each vote is looked at once.
std::map<int64_t, Tally> tallies(Connection& connection, int64_t midnight) {
  std::map<int64_t, Tally> all;
  auto row = connection.query(
      "SELECT v.person, v.choice, v.place, v.milliseconds, v.created, length(l.shown) FROM votes v "
      "JOIN leases l ON l.id = v.lease WHERE v.undone IS NULL");
  while (row.step()) {
    Tally& tally = all[row.get<int64_t>(0)];
    const auto choice = row.get<Choice>(1);
    ChoiceCounts& counts = tally.choices;
    int64_t* const places[] = {&counts.better, &counts.tie, &counts.both_bad, &counts.skip};
    ++*places[int(choice)];
    if (choice == Choice::skip) continue;
    tally.milliseconds.push_back(row.get<int64_t>(3));
    tally.today += row.get<int64_t>(4) >= midnight;
    if (choice != Choice::better || row.get<int>(5) != 2) continue;
    ++(row.get<int>(2) == 0 ? tally.position.left : tally.position.right);
  }
  return all;
}

void add_shared(std::map<int64_t, Tally>& all, const SharedVotes& shared) {
  const auto& votes = shared.votes;
  for (size_t begin = 0, end; begin < votes.size(); begin = end) {
    for (end = begin; end < votes.size() && votes[end].item == votes[begin].item;) end++;
    if (end - begin < 2) continue;
    for (size_t mine = begin; mine < end; mine++) {
      Tally& tally = all[shared.people[size_t(votes[mine].annotator)]];
      tally.shared++;
      for (size_t other = begin; other < end; other++) {
        if (other == mine) continue;
        tally.pairs++;
        tally.equal_pairs += votes[mine].value == votes[other].value;
      }
    }
  }
}

std::optional<double> median_seconds(std::vector<int64_t> milliseconds) {
  if (milliseconds.empty()) return std::nullopt;
  std::sort(milliseconds.begin(), milliseconds.end());
  const size_t above = milliseconds.size() / 2, below = (milliseconds.size() - 1) / 2;
  return double(milliseconds[below] + milliseconds[above]) / 2000;
}

PositionBias with_p(PositionBias bias) {
  bias.p = fair_coin_p(bias.left, bias.left + bias.right);
  return bias;
}

PersonStatistics person_in(Connection& connection, int64_t person, Tally tally) {
  const auto name = connection.value<std::string>("SELECT name FROM people WHERE id = ?", person);
  return {.person = person,
          .name = name.value_or(""),
          .choices = tally.choices,
          .today = tally.today,
          .median_seconds = median_seconds(std::move(tally.milliseconds)),
          .position = with_p(tally.position),
          .agreement = tally.pairs > 0
                           ? std::optional(double(tally.equal_pairs) / double(tally.pairs))
                           : std::nullopt,
          .shared = tally.shared};
}

CandidateResult candidate_in(Connection& connection, int64_t candidate) {
  CandidateResult result{.candidate = candidate};
  auto row = connection.query(
      "SELECT sum(v.choice = 0 AND a.version = ?1), sum(v.choice = 0 AND a.version <> ?1), "
      "sum(v.choice IN (1, 2)) FROM comparisons c JOIN votes v ON v.comparison = c.id AND "
      "v.undone IS NULL LEFT JOIN answers a ON a.comparison = c.id AND a.slot = v.slot "
      "WHERE c.candidate = ?1 AND c.withdrawn < 2",
      candidate);
  row.step();
  result.wins = row.get<int64_t>(0);
  result.losses = row.get<int64_t>(1);
  result.ties = row.get<int64_t>(2);
  result.wanted = connection
                      .value<int64_t>(
                          "SELECT sum(CASE WHEN withdrawn THEN votes ELSE wanted END) "
                          "FROM comparisons WHERE candidate = ? AND withdrawn < 2",
                          candidate)
                      .value_or(0);
  const double won = double(result.wins) + 0.5 * double(result.ties);
  if (result.votes() > 0) result.win_rate = won / double(result.votes());
  const Interval interval = wilson_interval(won, result.votes());
  result.low = interval.low;
  result.high = interval.high;
  return result;
}

std::vector<int64_t> ids(Statement statement) {
  return all_rows(std::move(statement), [](const Statement& row) { return row.get<int64_t>(0); });
}

}  // namespace

Statistics statistics(Store& store) {
  const int64_t midnight = midnight_before(store.now());
  return store.read([&](Connection& connection) {
    const SharedVotes shared = shared_votes(connection);
    std::map<int64_t, Tally> votes = tallies(connection, midnight);
    add_shared(votes, shared);
    Statistics all{.agreement = agreement_of(shared)};
    for (auto& [person, tally] : votes) {
      all.choices += tally.choices;
      all.position.left += tally.position.left;
      all.position.right += tally.position.right;
      all.people.push_back(person_in(connection, person, std::move(tally)));
    }
    all.position = with_p(all.position);
    for (const int64_t candidate :
         ids(connection.query("SELECT DISTINCT candidate FROM comparisons WHERE candidate IS NOT "
                              "NULL ORDER BY candidate"))) {
      all.candidates.push_back(candidate_in(connection, candidate));
    }
    return all;
  });
}

CandidateResult candidate_result(Store& store, int64_t candidate) {
  return store.read([&](Connection& connection) { return candidate_in(connection, candidate); });
}

PersonCounts person_counts(Store& store, int64_t person) {
  const int64_t midnight = midnight_before(store.now());
  return store.read([&](Connection& connection) -> PersonCounts {
    auto row = connection.query(
        "SELECT count(*), sum(created >= ?) FROM votes WHERE person = ? AND undone IS NULL AND "
        "choice <> ?",
        midnight, person, Choice::skip);
    row.step();
    return {.mine = row.get<int64_t>(0), .today = row.get<int64_t>(1)};
  });
}

}  // namespace rlhf::store
