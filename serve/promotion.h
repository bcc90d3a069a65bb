// When blind votes say that a candidate is better than the policy it was compared with: a test that
// may be looked at after every vote.
#pragma once

#include <cstdint>

namespace rlhf::serve {

/// Votes in which a candidate met the promoted policy.
struct Duel {
  int64_t wins = 0, losses = 0;  ///< of the candidate
  int64_t ties = 0;              ///< "tie" and "both bad": they say nothing about who is better
};

enum class Verdict { undecided, better, worse };

/// The factor by which the wins and losses are more likely under some win rate, all being equally
/// likely beforehand, than under 1/2: B(wins + 1, losses + 1) 2^(wins + losses). If both are
/// equally good it ever exceeds 1 / alpha with a probability of at most alpha, however often one
/// looks (Ville 1939; Robbins 1970, "Statistical methods related to the law of the iterated
/// logarithm").
double evidence(const Duel& duel);

/// Decided as soon as the evidence exceeds 1 / alpha.
Verdict verdict(const Duel& duel, double alpha = 0.05);

}  // namespace rlhf::serve
