#include "serve/store/agreement_rows.h"

#include <cmath>
#include <map>
#include <set>

#include "serve/store/votes.h"

namespace rlhf::store {
namespace {

std::optional<double> known(double value) {
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

}  // namespace

SharedVotes shared_votes(Connection& connection) {
  SharedVotes shared;
  std::map<int64_t, int32_t> numbers;
  int32_t item = -1;
  int64_t last = 0;
  auto row = connection.query(
      "SELECT v.comparison, v.person, v.choice, v.slot FROM comparisons c JOIN votes v ON "
      "v.comparison = c.id WHERE c.votes > 1 AND v.undone IS NULL AND v.choice <> ? "
      "ORDER BY v.comparison, v.person",
      Choice::skip);
  while (row.step()) {
    if (const auto comparison = row.get<int64_t>(0); comparison != last) {
      last = comparison;
      item++;
    }
    const auto person = row.get<int64_t>(1);
    const auto [found, added] = numbers.emplace(person, int32_t(shared.people.size()));
    if (added) shared.people.push_back(person);
    const auto choice = row.get<Choice>(2);
    const double value = choice == Choice::better ? row.get<int>(3) : -double(choice);
    shared.votes.push_back({item, found->second, value});
  }
  return shared;
}

Agreement agreement_of(const SharedVotes& shared) {
  Agreement agreement;
  std::set<int32_t> comparisons;
  for (const rlhf::Vote& vote : shared.votes) comparisons.insert(vote.item);
  agreement.comparisons = int64_t(comparisons.size());
  agreement.percent = known(percent_agreement(shared.votes));
  if (shared.people.size() == 2) agreement.kappa = known(cohen_kappa(shared.votes, 0, 1));
  agreement.alpha = known(krippendorff_alpha(shared.votes, VoteLevel::nominal));
  return agreement;
}

}  // namespace rlhf::store
