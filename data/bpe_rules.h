// What byte-pair encoding does to one word: its bytes become tokens, and neighbours merge, the
// earliest learnt pair first and of equal ones the leftmost, until no learnt pair is left.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "data/pair_table.h"

namespace rlhf {

/// Two neighbours that become one token.
struct Merge {
  int32_t left, right, result;
};

class BpeRules {
 public:
  BpeRules(const std::array<int32_t, 256>& byte_ids, const std::vector<Merge>& merges);

  size_t size() const { return rules_.size(); }

  /// Appends the ids of a word, in O(n log n) steps: a "word" can be a whole file of 'a's.
  void encode_word(std::string_view word, std::vector<int32_t>& out) const;

 private:
  struct Rule {
    int32_t rank = 0, result = 0;
  };
  class LongWord;

  void encode_short(std::string_view word, std::vector<int32_t>& out) const;
  Rule rule(int32_t left, int32_t right) const;

  std::array<int32_t, 256> byte_ids_;
  PairTable<Rule> rules_;
};

}  // namespace rlhf
