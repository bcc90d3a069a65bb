// GPT-2's pre-tokeniser: text is cut into words, and byte-pair merges never cross a cut. The
// pattern of Radford et al. 2019 (the file encoder.py of their release) is
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// It is read here by a hand-written scanner: no regex engine has both its look-ahead and the right
// Unicode classes, and a scanner is several times faster. Bytes outside of well-formed UTF-8, which
// the pattern does not know, count as "other": neither letter, number nor space.
#pragma once

#include <cstddef>
#include <string_view>

namespace rlhf {

/// Where the word that starts at `begin` ends. REQUIRES: begin < text.size().
size_t word_end(std::string_view text, size_t begin);

/// Calls visit(std::string_view) for each word in turn; together the words are the text.
template <class Visit>
void for_each_word(std::string_view text, Visit&& visit) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = word_end(text, begin);
    visit(text.substr(begin, end - begin));
    begin = end;
  }
}

}  // namespace rlhf
