// How far annotators agree, in the figures that papers report. Values equal those of scikit-learn
// (Cohen's kappa) and of the krippendorff package.
#pragma once

#include <cstdint>
#include <span>

namespace rlhf {

/// What one annotator said about one item. At most one vote an item and annotator.
struct Vote {
  int32_t item;
  int32_t annotator;
  double value;
};

/// Whether values are names, or numbers whose distance counts.
enum class VoteLevel { nominal, interval };

/// The share of pairs of votes on the same item that are equal; NaN without such a pair.
double percent_agreement(std::span<const Vote> votes);

/// (p_o - p_e) / (1 - p_e) of two annotators on the items that both judged (Cohen 1960): what
/// agreement is left beyond chance. NaN unless both judged an item, or when both always say the
/// same one thing.
double cohen_kappa(std::span<const Vote> votes, int32_t one, int32_t other);

/// alpha = 1 - D_o / D_e for any number of annotators and missing votes (Krippendorff 2011,
/// "Computing Krippendorff's Alpha-Reliability"): 1 is perfect, 0 what chance gives. NaN when no
/// item has two votes or all votes are equal.
double krippendorff_alpha(std::span<const Vote> votes, VoteLevel level);

}  // namespace rlhf
