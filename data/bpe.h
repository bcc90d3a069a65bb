// Byte-level byte-pair encoding as GPT-2 has it (Sennrich et al. 2016, arXiv:1508.07909; Radford et
// al. 2019, section 2.2). A text is cut into words (pre_tokenizer.h), a word into its bytes, and
// neighbouring tokens are merged, the earliest learnt pair first, until no learnt pair is left. Any
// bytes can be encoded and decode to themselves, whether they are UTF-8 or not.
#pragma once

#include <array>
#include <vector>

#include "data/pair_table.h"
#include "data/tokenizer.h"
#include "data/tokenizer_files.h"

namespace rlhf {

/// Two neighbours that become one token.
struct Merge {
  int32_t left, right, result;
};

class BpeTokenizer final : public Tokenizer {
 public:
  /// `tokens` are the bytes of all ids (anything for the special ones), `merges` the learnt pairs
  /// in order. @throws Error unless all 256 bytes are tokens and each merge's result is the bytes
  /// of its two parts.
  BpeTokenizer(std::vector<std::string> tokens, std::vector<Merge> merges, SpecialToken eos,
               SpecialToken pad);

  /// The tokenizer of learnt pairs, its ids as GPT-2 numbers them: the bytes in byte_order(), one
  /// id per merge, then the end token and the pad token. Merge results must be 256, 257, ...
  static BpeTokenizer from_merges(std::vector<Merge> merges);

  /// Reads vocab.json and merges.txt. @throws InputError naming file and line.
  static BpeTokenizer load(const std::filesystem::path& folder, const TokenizerConfig& config);

  std::vector<int32_t> encode(std::string_view text) const override;
  void save(const std::filesystem::path& folder) const override;

  const std::vector<Merge>& merges() const { return merges_; }

 private:
  struct Rule {
    int32_t rank = 0, result = 0;
  };
  class WordEncoder;

  std::array<int32_t, 256> byte_ids_;
  std::vector<Merge> merges_;
  PairTable<Rule> rules_;
};

/// The bytes in the order of GPT-2's ids 0 to 255: the printable ones of Latin-1, then the others.
const std::array<uint8_t, 256>& byte_order();

}  // namespace rlhf
