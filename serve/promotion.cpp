#include "serve/promotion.h"

#include <cmath>

namespace rlhf::serve {

double evidence(const Duel& duel) {
  const double wins = double(duel.wins), losses = double(duel.losses);
  return std::exp(std::lgamma(wins + 1) + std::lgamma(losses + 1) - std::lgamma(wins + losses + 2) +
                  (wins + losses) * std::log(2.0));
}

Verdict verdict(const Duel& duel, double alpha) {
  if (evidence(duel) <= 1 / alpha) return Verdict::undecided;
  return duel.wins > duel.losses ? Verdict::better : Verdict::worse;
}

}  // namespace rlhf::serve
