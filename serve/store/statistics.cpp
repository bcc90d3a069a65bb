#include "serve/store/statistics.h"

#include <algorithm>
#include <ctime>
#include <map>

#include "serve/store/agreement_rows.h"
#include "serve/store/proportion.h"
#include "serve/store/refusals.h"
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

ChoiceCounts choices_of(Connection& connection, std::optional<int64_t> person) {
  ChoiceCounts counts;
  int64_t* places[] = {&counts.better, &counts.tie, &counts.both_bad, &counts.skip};
  auto row = connection.query(
      "SELECT choice, count(*) FROM votes WHERE undone IS NULL AND (?1 IS NULL OR person = ?1) "
      "GROUP BY choice",
      person);
  while (row.step()) *places[row.get<int>(0)] = row.get<int64_t>(1);
  return counts;
}

PositionBias position_of(Connection& connection, std::optional<int64_t> person) {
  auto row = connection.query(
      "SELECT sum(place = 0), sum(place = 1) FROM votes v JOIN leases l ON l.id = v.lease WHERE "
      "undone IS NULL AND choice = 0 AND length(l.shown) = 2 AND (?1 IS NULL OR v.person = ?1)",
      person);
  row.step();
  PositionBias bias{.left = row.get<int64_t>(0), .right = row.get<int64_t>(1)};
  bias.p = fair_coin_p(bias.left, bias.left + bias.right);
  return bias;
}

std::optional<double> median_seconds(Connection& connection, int64_t person) {
  const auto times = all_rows(
      connection.query("SELECT milliseconds FROM votes WHERE person = ? AND undone IS NULL AND "
                       "choice <> ? ORDER BY milliseconds",
                       person, Choice::skip),
      [](const Statement& row) { return row.get<int64_t>(0); });
  if (times.empty()) return std::nullopt;
  const size_t middle = times.size() / 2;
  const int64_t twice =
      times.size() % 2 == 1 ? 2 * times[middle] : times[middle - 1] + times[middle];
  return double(twice) / 2000;
}

PersonCounts counts_of(Connection& connection, int64_t person, int64_t midnight) {
  auto row = connection.query(
      "SELECT count(*), sum(created >= ?) FROM votes WHERE person = ? AND undone IS NULL AND "
      "choice <> ?",
      midnight, person, Choice::skip);
  row.step();
  return {.mine = row.get<int64_t>(0), .today = row.get<int64_t>(1)};
}

/// Of the pairs of votes that a person shares with another, the equal ones.
void add_agreement(PersonStatistics& person, const SharedVotes& shared) {
  const auto& votes = shared.votes;
  int64_t pairs = 0, equal = 0;
  for (size_t begin = 0, end; begin < votes.size(); begin = end) {
    for (end = begin; end < votes.size() && votes[end].item == votes[begin].item;) end++;
    for (size_t mine = begin; mine < end; mine++) {
      if (shared.people[size_t(votes[mine].annotator)] != person.person) continue;
      if (end - begin > 1) person.shared++;
      for (size_t other = begin; other < end; other++) {
        if (other == mine) continue;
        pairs++;
        equal += votes[mine].value == votes[other].value;
      }
    }
  }
  if (pairs > 0) person.agreement = double(equal) / double(pairs);
}

PersonStatistics person_in(Connection& connection, int64_t person, int64_t midnight,
                           const SharedVotes& shared) {
  PersonStatistics found{.person = person};
  const auto name = connection.value<std::string>("SELECT name FROM people WHERE id = ?", person);
  if (!name) not_found("person", "expected a person, got the id {}", person);
  found.name = *name;
  found.choices = choices_of(connection, person);
  found.today = counts_of(connection, person, midnight).today;
  found.median_seconds = median_seconds(connection, person);
  found.position = position_of(connection, person);
  add_agreement(found, shared);
  return found;
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
    Statistics all{.choices = choices_of(connection, {}),
                   .position = position_of(connection, {}),
                   .agreement = agreement_of(shared)};
    for (const int64_t person : ids(connection.query(
             "SELECT id FROM people p WHERE EXISTS(SELECT 1 FROM votes v WHERE v.person = p.id AND "
             "v.undone IS NULL) ORDER BY id"))) {
      all.people.push_back(person_in(connection, person, midnight, shared));
    }
    for (const int64_t candidate :
         ids(connection.query("SELECT DISTINCT candidate FROM comparisons WHERE candidate IS NOT "
                              "NULL ORDER BY candidate"))) {
      all.candidates.push_back(candidate_in(connection, candidate));
    }
    return all;
  });
}

PersonStatistics person_statistics(Store& store, int64_t person) {
  const int64_t midnight = midnight_before(store.now());
  return store.read([&](Connection& connection) {
    return person_in(connection, person, midnight, shared_votes(connection));
  });
}

Agreement agreement(Store& store) {
  return store.read([](Connection& connection) { return agreement_of(shared_votes(connection)); });
}

CandidateResult candidate_result(Store& store, int64_t candidate) {
  return store.read([&](Connection& connection) { return candidate_in(connection, candidate); });
}

PersonCounts person_counts(Store& store, int64_t person) {
  const int64_t midnight = midnight_before(store.now());
  return store.read(
      [&](Connection& connection) { return counts_of(connection, person, midnight); });
}

ChoiceCounts choice_counts(Store& store) {
  return store.read([](Connection& connection) { return choices_of(connection, {}); });
}

PositionBias position_bias(Store& store) {
  return store.read([](Connection& connection) { return position_of(connection, {}); });
}

}  // namespace rlhf::store
