// The grammar behind the demo corpus: what small reviews are made of, and what their words are
// worth. Text generation and the judge of sentiment read the same table, so that the judge knows
// every sentiment word that a model trained on the corpus can have learned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/check.h"
#include "data/demo_rules.h"
#include "kernels/philox.h"

namespace rlhf {

/// The random choices of one text: a pure function of (seed, site, text, how many came before).
class DemoDice {
 public:
  DemoDice(uint64_t seed, uint32_t site, uint64_t text) : seed_(seed), site_(site), text_(text) {}

  /// A whole number in [0, n).
  size_t below(size_t n) { return size_t((uint64_t{next()} * n) >> 32); }
  /// A float in [0, 1).
  float uniform() { return unit_float(next()); }

 private:
  uint32_t next() { return random_words(seed_, RandomStream::corpus, site_, text_, index_++)[0]; }

  uint64_t seed_;
  uint32_t site_;
  uint64_t text_;
  uint64_t index_ = 0;
};

/// `make(dice)` for each of `count` texts, each with its own random numbers.
template <class Make>
auto demo_generate(uint64_t seed, uint32_t site, int64_t count, Make make) {
  check(count >= 0, "demo corpus", "expected count >= 0, got {}", count);
  std::vector<decltype(make(std::declval<DemoDice&>()))> out;
  out.reserve(size_t(count));
  for (int64_t i = 0; i < count; i++) {
    DemoDice dice(seed, site, uint64_t(i));
    out.push_back(make(dice));
  }
  return out;
}

/// Replaces the symbol by one of its alternatives, and so on until only words are left. A topic's
/// own rule goes before the general one. Useful symbols: "opening" (a sentence without sentiment),
/// "completion" (any verdict), "positive", "negative", "mixed_positive", "mixed_negative", "fact".
/// Words and punctuation are separated by single spaces.
/// @throws Error when there is no such symbol.
std::string demo_expand(std::string_view symbol, std::string_view topic, DemoDice& dice);

/// What a lower-case word says about the thing reviewed: 1 (good), 1.5 (superb), -1, -1.5, or 0.
double demo_valence(std::string_view word);

}  // namespace rlhf
