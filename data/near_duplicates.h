// Texts that are almost the same: by the Jaccard similarity of their character n-grams, found
// without comparing every pair by MinHash (Broder 1997) and banding (Leskovec, Rajaraman and
// Ullman, Mining of Massive Datasets, section 3.4). Characters instead of words, so that any script
// works.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rlhf {

struct NearDuplicateOptions {
  double threshold = 0.8;  ///< Jaccard similarity from which on texts count as the same; (0, 1]
  int64_t shingle = 5;     ///< characters in a row that make up one element of a text's set
  bool ignore_case = true;
};

struct NearDuplicate {
  int64_t text;
  int64_t of;  ///< the earlier text that it is near to, itself none
  double similarity;
};

/// The texts that are near to an earlier one that is not near to any itself: what to leave out so
/// that no two of the rest are alike, in ascending order. Every similarity given is exact. Bands
/// are chosen such that a pair at the threshold is found with a probability of at least 0.99, and a
/// nearer one with a higher one. Depends on nothing but the texts and their order.
std::vector<NearDuplicate> find_near_duplicates(std::span<const std::string> texts,
                                                const NearDuplicateOptions& options = {});

}  // namespace rlhf
