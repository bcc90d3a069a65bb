#include "serve/store/comparisons.h"

#include <algorithm>

#include "kernels/philox.h"
#include "serve/store/audit.h"
#include "serve/store/comparison_rows.h"
#include "serve/store/prompt_rows.h"
#include "serve/store/refusals.h"
#include "serve/store/versions.h"

namespace rlhf::store {
namespace {

/// What chance decides on, each with words of its own.
enum class Draw : uint32_t { doubled, order, purpose };

PhiloxWords draw(const Store& store, Draw what, int64_t id, uint32_t step = 0) {
  const uint64_t seed = store.secret_seed();
  return philox({uint32_t(id), uint32_t(uint64_t(id) >> 32), step, uint32_t(what)}, uint32_t(seed),
                uint32_t(seed >> 32));
}

double unit_draw(const Store& store, Draw what, int64_t id) {
  const PhiloxWords words = draw(store, what, id);
  return unit_double(words[0], words[1]);
}

/// A random order of slots as text: a digit a place.
std::string draw_order(const Store& store, int64_t lease, size_t answers) {
  std::string order;
  for (size_t slot = 0; slot < answers; slot++) order += char('0' + slot);
  for (size_t i = answers - 1; i > 0; i--) {
    // The product's upper half: uniform to 2^-32 for so few places.
    const uint64_t word = draw(store, Draw::order, lease, uint32_t(i))[0];
    std::swap(order[i], order[size_t(word * (i + 1) >> 32)]);
  }
  return order;
}

/// The oldest comparison of a purpose that lacks votes which nobody is about to give.
std::optional<int64_t> next_comparison(Connection& connection, int64_t person, Purpose purpose) {
  return connection.value<int64_t>(
      "SELECT id FROM comparisons c WHERE purpose = ?1 AND votes < wanted AND withdrawn = 0 "
      "AND votes + (SELECT count(*) FROM leases l WHERE l.comparison = c.id AND l.state = 0) "
      "< wanted AND NOT EXISTS(SELECT 1 FROM votes v WHERE v.comparison = c.id AND v.person = ?2 "
      "AND v.undone IS NULL) ORDER BY id LIMIT 1",
      purpose, person);
}

/// What the person holds already, if it still asks for votes, and for theirs.
std::optional<int64_t> held_lease(Connection& connection, int64_t person) {
  connection.run(
      "UPDATE leases SET state = 2 WHERE person = ?1 AND state = 0 AND (comparison IN "
      "(SELECT id FROM comparisons WHERE votes >= wanted OR withdrawn) OR EXISTS(SELECT 1 FROM "
      "votes v WHERE v.comparison = leases.comparison AND v.person = ?1 AND v.undone IS NULL))",
      person);
  return connection.value<int64_t>("SELECT max(id) FROM leases WHERE person = ? AND state = 0",
                                   person);
}

/// Answers take time to make. Meanwhile somebody may have decided on the candidate, or promoted
/// another version, and votes on them would count in a duel that is not theirs.
void check_duel(Connection& connection, const NewComparison& comparison) {
  check_exists(connection, "versions", "candidate", *comparison.candidate);
  const auto state = [&](int64_t version) {
    return connection.value<VersionState>("SELECT state FROM versions WHERE id = ?", version);
  };
  bool stands = state(*comparison.candidate) == VersionState::candidate;
  for (const NewAnswer& answer : comparison.answers) {
    stands = stands && (answer.version == comparison.candidate ||
                        state(answer.version) == VersionState::promoted);
  }
  if (!stands) {
    conflict("candidate", "expected a candidate beside the version that serves, got that changed");
  }
}

}  // namespace

int64_t add_comparison(Store& store, const NewComparison& comparison) {
  const size_t answers = comparison.answers.size();
  if (answers < 2 || answers > 8) input_error("answers", "expected 2 to 8, got {}", answers);
  if ((comparison.purpose == Purpose::promotion) != comparison.candidate.has_value()) {
    input_error("candidate", "expected one for a promotion and none to collect, got {}",
                comparison.candidate ? "one" : "none");
  }
  std::vector<std::string> texts;
  for (const NewAnswer& answer : comparison.answers) texts.push_back(store.cleaned(answer.text));
  return store.write([&](Connection& connection) {
    check_exists(connection, "prompts", "prompt", comparison.prompt);
    if (comparison.candidate) check_duel(connection, comparison);
    const int64_t id = connection.insert(
        "INSERT INTO comparisons(prompt, purpose, candidate, wanted, created) "
        "VALUES(?, ?, ?, ?, ?)",
        comparison.prompt, comparison.purpose, comparison.candidate,
        comparison.wanted_votes.value_or(1), store.now());
    if (!comparison.wanted_votes && unit_draw(store, Draw::doubled, id) < comparison.doubled) {
      connection.run("UPDATE comparisons SET wanted = 2 WHERE id = ?", id);
    }
    for (size_t slot = 0; slot < answers; slot++) {
      const NewAnswer& answer = comparison.answers[slot];
      check_exists(connection, "versions", "version", answer.version);
      const Sampling& sampling = answer.sampling;
      connection.run(
          "INSERT INTO answers(comparison, slot, text, version, temperature, top_p, top_k, "
          "max_tokens, seed, ended) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          id, slot, texts[slot], answer.version, sampling.temperature, sampling.top_p,
          sampling.top_k, sampling.max_tokens, sampling.seed, answer.ended);
    }
    return id;
  });
}

std::optional<Lease> lease_next(Store& store, int64_t person, double promotions) {
  return store.write([&](Connection& connection) -> std::optional<Lease> {
    const int64_t now = store.now(), until = now + lease_time;
    connection.run("UPDATE leases SET state = 3 WHERE state = 0 AND until <= ?", now);
    if (const auto held = held_lease(connection, person)) {
      connection.run("UPDATE leases SET until = ? WHERE id = ?", until, *held);
      return load_lease(connection, person, *held).lease;
    }
    const int64_t turn = connection.value<int64_t>("SELECT max(id) FROM leases").value_or(0) + 1;
    const bool promotes = unit_draw(store, Draw::purpose, turn) < promotions;
    auto chosen =
        next_comparison(connection, person, promotes ? Purpose::promotion : Purpose::collect);
    if (!chosen) {
      chosen =
          next_comparison(connection, person, promotes ? Purpose::collect : Purpose::promotion);
    }
    if (!chosen) return std::nullopt;
    const int64_t lease = connection.insert(
        "INSERT INTO leases(comparison, person, shown, state, created, until) "
        "VALUES(?, ?, '', 0, ?, ?)",
        *chosen, person, now, until);
    const Comparison comparison = load_comparison(connection, *chosen);
    connection.run("UPDATE leases SET shown = ? WHERE id = ?",
                   draw_order(store, lease, comparison.answers.size()), lease);
    return load_lease(connection, person, lease).lease;
  });
}

}  // namespace rlhf::store
