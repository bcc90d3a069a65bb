// "Did you mean ...?": the known word that a mistyped one was probably meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

/// The word of `known` with the fewest slips (letters added, left out, changed or swapped:
/// Damerau 1964) when those are few for its length, else a word that holds `text` or is held by it.
/// @returns "" when nothing is near.
std::string nearest_word(std::string_view text, const std::vector<std::string>& known);

}  // namespace rlhf
