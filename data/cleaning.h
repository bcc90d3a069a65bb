// What is wrong with a row that can be read: rules to report rows by, or to leave them out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/items.h"

namespace rlhf {

/// Code points of UTF-8 text.
int64_t count_characters(std::string_view text);

/// Control characters (\n, \r and \t are none), direction marks and the like, and U+FFFD, which
/// stands where an earlier program lost bytes.
bool has_control_characters(std::string_view text);

/// Spellings that tokenizers and chat formats reserve: <|...|>, </s>, <pad>, [INST], ... They are
/// ordinary text to ours, and mostly the traces of a prompt that was pasted.
bool spells_special_token(std::string_view text);

struct CleaningRules {
  bool empty = true;      ///< a text is empty or white space
  int64_t min_chars = 0;  ///< of the longest answer, the text or the prompt
  int64_t max_chars = 0;  ///< of all texts of a row; 0: no limit
  bool control_characters = false;
  bool special_tokens = false;
  bool contradictions = true;  ///< all rows of a subject that is judged both ways
  bool duplicates = true;      ///< but the first
  double near_threshold = 0;   ///< Jaccard similarity; 0: no near duplicates
  bool ignore_case = false;    ///< of duplicates and contradictions
};

/// The reason to leave each item out, empty to keep it: the first that applies of "empty",
/// "too short", "too long", "control characters", "special token", "contradiction", "duplicate of
/// N", "near duplicate of N", N the place of the other one in `where`.
std::vector<std::string> reasons_to_drop(std::span<const Item> items,
                                         std::span<const std::string> where,
                                         const CleaningRules& rules);

/// Per item the earlier one that it is almost equal to, or -1. Only items of one kind, judgement
/// and annotator are compared: another opinion about the same text is not a copy.
std::vector<int64_t> near_duplicates_of(std::span<const Item> items, double threshold);

}  // namespace rlhf
