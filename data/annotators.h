// How far each annotator can be trusted, estimated from nothing but where annotators overlap.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/agreement.h"

namespace rlhf {

struct AnnotatorReliability {
  int64_t votes = 0;     ///< all of them
  int64_t shared = 0;    ///< on items that somebody else judged, too
  double agreement = 0;  ///< share of shared votes with the majority of the others, ties half; NaN
                         ///< without any
  double reliability = 0;  ///< the probability that a vote is right
  double weight = 0;       ///< max(0, 2 reliability - 1)
};

struct ReliabilityPrior {
  /// An annotator who shares no item is taken for this: people agree with each other in 0.73 to
  /// 0.77 of pairs (Ouyang et al. 2022, section 3.4).
  double reliability = 0.75;
  double votes = 4;  ///< how many votes the prior counts as; 0: none
};

/// Dawid and Skene's EM (1979) with one parameter an annotator: each vote of 0 or 1 is right with
/// the probability p_a, independently, and both truths are equally likely beforehand.
///   E: log-odds that item i is 1 = sum over its votes of +-log(p_a / (1 - p_a))
///   M: p_a = (expected right votes + prior votes . prior) / (shared votes + prior votes)
/// starting from the share of votes for 1. Beta priors make it the maximum of the posterior, and
/// keep a person of three votes from being called perfect. That more than half of the votes are
/// right is an assumption: from votes alone nobody can tell truth from its opposite.
///
/// The weight 2 p - 1 (Youden's index) is the share of an annotator's votes that carries signal: a
/// vote flipped with the probability 1 - p shrinks the expected gradient by just that factor
/// (Natarajan et al. 2013, lemma 1), so it weighs each vote by its signal over its constant noise;
/// for small signals it is half the log-odds by which a Bayesian majority weighs votes (Nitzan and
/// Paroush 1982), and it stays bounded for large ones. Who is worse than chance gets 0.
std::vector<AnnotatorReliability> annotator_reliability(std::span<const Vote> votes,
                                                        int32_t annotators,
                                                        const ReliabilityPrior& prior = {});

}  // namespace rlhf
