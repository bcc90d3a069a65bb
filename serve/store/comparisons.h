// Which answers are shown to whom. A comparison is a prompt with 2 to 8 answers; a lease gives it
// to one person for ten minutes, in an order of answers that is drawn for this view.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/store/prompts.h"

namespace rlhf::store {

/// How an answer was drawn; kept with it.
struct Sampling {
  double temperature = 1, top_p = 1;
  int64_t top_k = 0, max_tokens = 0;
  uint64_t seed = 0;
};

struct Answer {
  int64_t id = 0, comparison = 0;
  int slot = 0;
  std::string text;
  int64_t version = 0;
  Sampling sampling;
  bool ended = true;  ///< false: cut at max_tokens
};

/// promotion: a candidate against the promoted version.
enum class Purpose { collect, promotion };

struct Comparison {
  int64_t id = 0;
  Prompt prompt;
  Purpose purpose = Purpose::collect;
  std::optional<int64_t> candidate;
  int wanted_votes = 1;
  std::vector<Answer> answers;  ///< by slot
};

struct NewAnswer {
  std::string text;
  int64_t version = 0;
  Sampling sampling = {};
  bool ended = true;
};

struct NewComparison {
  int64_t prompt = 0;
  Purpose purpose = Purpose::collect;
  std::optional<int64_t> candidate = {};
  std::optional<int> wanted_votes = {};  ///< none: 2 for `doubled` of them, else 1
  double doubled = 0.1;                  ///< the share that two people judge, for agreement
  std::vector<NewAnswer> answers;
};

/// @throws InputError for fewer than 2 or more than 8 answers, or a promotion without candidate;
/// NotFound for a prompt or version that is not there; Conflict unless a promotion's candidate is
/// still one and its other answers are of the version that serves.
int64_t add_comparison(Store& store, const NewComparison& comparison);
std::optional<Comparison> find_comparison(Store& store, int64_t id);

/// `order[place]` is the slot shown at that place.
struct Lease {
  int64_t id = 0;
  Comparison comparison;
  std::vector<int> order;
  int64_t until = 0;

  const Answer& at(int place) const { return comparison.answers[size_t(order[size_t(place)])]; }
};

inline constexpr int64_t lease_time = int64_t{10} * 60 * 1'000'000;

/// What a person judges next: what is leased to the person already (with the same order, and for
/// ten more minutes), otherwise the oldest comparison that lacks votes and that the person has not
/// voted on; promotions have the share `promotions` of turns when both kinds wait. None when there
/// is nothing.
std::optional<Lease> lease_next(Store& store, int64_t person, double promotions = 0.5);

/// A lease of the person's that is neither voted on nor released. @throws NotFound
Lease find_lease(Store& store, int64_t person, int64_t lease);

/// Comparisons by where they stand: waiting for a vote that nobody is about to give, leased, done.
struct QueueCounts {
  int64_t waiting = 0, leased = 0, done = 0;
};
QueueCounts queue_counts(Store& store, std::optional<Purpose> purpose = {},
                         std::optional<int64_t> candidate = {});

/// How many comparisons a person could still be given; one that they hold is among them.
int64_t waiting_for(Store& store, int64_t person, std::optional<Purpose> purpose = {},
                    std::optional<int64_t> candidate = {});

}  // namespace rlhf::store
