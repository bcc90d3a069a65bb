#include "serve/store/comparison_rows.h"

#include "serve/store/prompt_rows.h"
#include "serve/store/refusals.h"

namespace rlhf::store {

Sampling sampling_at(const Statement& row, int first) {
  return {.temperature = row.get<double>(first),
          .top_p = row.get<double>(first + 1),
          .top_k = row.get<int64_t>(first + 2),
          .max_tokens = row.get<int64_t>(first + 3),
          .seed = row.get<uint64_t>(first + 4)};
}

void check_exists(Connection& connection, std::string_view table, std::string_view what,
                  int64_t id) {
  if (!connection.value<int64_t>(fmt::format("SELECT id FROM {} WHERE id = ?", table), id)) {
    not_found(what, "expected one that is there, got the id {}", id);
  }
}

Comparison load_comparison(Connection& connection, int64_t id) {
  auto row = connection.query(
      "SELECT p.id, p.text, p.is_messages, p.source, p.created, c.id, c.purpose, c.candidate, "
      "c.wanted FROM comparisons c JOIN prompts p ON p.id = c.prompt WHERE c.id = ?",
      id);
  if (!row.step()) not_found("comparison", "expected one that is there, got the id {}", id);
  Comparison comparison{.id = row.get<int64_t>(5),
                        .prompt = prompt_at(row, 0),
                        .purpose = row.get<Purpose>(6),
                        .candidate = row.get<std::optional<int64_t>>(7),
                        .wanted_votes = row.get<int>(8)};
  comparison.answers =
      all_rows(connection.query("SELECT id, slot, text, version, ended, temperature, top_p, top_k, "
                                "max_tokens, seed FROM answers WHERE comparison = ? ORDER BY slot",
                                id),
               [&](const Statement& answer) {
                 return Answer{.id = answer.get<int64_t>(0),
                               .comparison = id,
                               .slot = answer.get<int>(1),
                               .text = answer.get<std::string>(2),
                               .version = answer.get<int64_t>(3),
                               .sampling = sampling_at(answer, 5),
                               .ended = answer.get<bool>(4)};
               });
  return comparison;
}

LeaseRow load_lease(Connection& connection, int64_t person, int64_t lease) {
  auto row = connection.query(
      "SELECT id, comparison, shown, until, state FROM leases WHERE id = ? AND person = ?", lease,
      person);
  if (!row.step()) not_found("lease", "expected one of yours, got the id {}", lease);
  LeaseRow found{.lease = {.id = row.get<int64_t>(0), .until = row.get<int64_t>(3)},
                 .state = row.get<LeaseState>(4)};
  for (const char slot : row.text(2)) found.lease.order.push_back(slot - '0');
  found.lease.comparison = load_comparison(connection, row.get<int64_t>(1));
  return found;
}

std::optional<Comparison> find_comparison(Store& store, int64_t id) {
  return store.read([&](Connection& connection) -> std::optional<Comparison> {
    if (!connection.value<int64_t>("SELECT id FROM comparisons WHERE id = ?", id)) {
      return std::nullopt;
    }
    return load_comparison(connection, id);
  });
}

Lease find_lease(Store& store, int64_t person, int64_t lease) {
  return store.read([&](Connection& connection) {
    LeaseRow found = load_lease(connection, person, lease);
    if (found.state == LeaseState::voted || found.state == LeaseState::released) {
      not_found("lease", "expected an open one, got {}, which is over", lease);
    }
    return found.lease;
  });
}

QueueCounts queue_counts(Store& store, std::optional<Purpose> purpose,
                         std::optional<int64_t> candidate) {
  return store.read([&](Connection& connection) {
    auto row = connection.query(
        "SELECT sum(open AND votes + held < wanted), sum(open AND votes + held >= wanted), "
        "sum(votes >= wanted) FROM (SELECT votes, wanted, votes < wanted AND withdrawn = 0 AS open,"
        " (SELECT count(*) FROM leases l WHERE l.comparison = c.id AND l.state = 0 AND "
        "l.until > ?1) AS held FROM comparisons c WHERE purpose = coalesce(?2, purpose) AND "
        "candidate IS coalesce(?3, candidate) AND NOT (?3 NOT NULL AND withdrawn = 2))",
        store.now(), purpose, candidate);
    row.step();
    return QueueCounts{
        .waiting = row.get<int64_t>(0), .leased = row.get<int64_t>(1), .done = row.get<int64_t>(2)};
  });
}

int64_t waiting_for(Store& store, int64_t person, std::optional<Purpose> purpose,
                    std::optional<int64_t> candidate) {
  return store.read([&](Connection& connection) {
    return *connection.value<int64_t>(
        "SELECT count(*) FROM comparisons c WHERE votes < wanted AND withdrawn = 0 AND "
        "votes + (SELECT count(*) FROM leases l WHERE l.comparison = c.id AND l.state = 0 AND "
        "l.until > ?1 AND l.person <> ?2) < wanted AND NOT EXISTS(SELECT 1 FROM votes v WHERE "
        "v.comparison = c.id AND v.person = ?2 AND v.undone IS NULL) AND "
        "purpose = coalesce(?3, purpose) AND candidate IS coalesce(?4, candidate)",
        store.now(), person, purpose, candidate);
  });
}

}  // namespace rlhf::store
