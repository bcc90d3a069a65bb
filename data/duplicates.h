// Rows that say the same thing twice, and rows that say opposite things: in feedback both are
// common, and both fool a held-out figure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/items.h"

namespace rlhf {

/// Per item and in total. Texts are compared as data/normalise.h spells them.
struct Duplicates {
  /// The first item that says the same: same texts, same judgement, and by the same annotator,
  /// since two annotators who agree are two votes. Itself where it is the first.
  std::vector<int64_t> first;
  /// Whether the same texts are judged otherwise elsewhere, and not just by another annotator: the
  /// same pair with the opposite preference, the same text with another label; or a pair whose two
  /// answers are equal. Scores may differ.
  std::vector<uint8_t> contradicts;
  int64_t duplicates = 0;      ///< items that are not the first of their kind
  int64_t contradictions = 0;  ///< items that contradict
  int64_t disagreements = 0;   ///< items on whose subject annotators differ, each true to himself
};

Duplicates find_duplicates(std::span<const Item> items, bool ignore_case = false);

}  // namespace rlhf
