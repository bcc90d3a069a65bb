// Byte-level byte-pair encoding as GPT-2 has it (Sennrich et al. 2016, arXiv:1508.07909; Radford et
// al. 2019, section 2.2). A text is cut into words (pre_tokenizer.h), a word into its bytes, and
// neighbouring tokens are merged, the earliest learnt pair first, until no learnt pair is left. Any
// bytes can be encoded and decode to themselves, whether they are UTF-8 or not.
#pragma once

#include <vector>

#include "data/bpe_rules.h"
#include "data/bpe_spelling.h"
#include "data/tokenizer.h"

namespace rlhf {

class BpeTokenizer final : public Tokenizer {
 public:
  /// `merges` are the learnt pairs in order. @throws Error unless all 256 bytes are tokens, each
  /// pair occurs once, and each merge's result is the bytes of its two parts.
  BpeTokenizer(Vocabulary vocabulary, std::vector<Merge> merges);

  /// The tokenizer of learnt pairs, its ids as GPT-2 numbers them: the bytes in byte_order(), one
  /// id per merge, then the end token and the pad token. Merge results must be 256, 257, ...
  static BpeTokenizer from_merges(std::vector<Merge> merges);

  std::vector<int32_t> encode(std::string_view text) const override;
  void save(const std::filesystem::path& folder) const override;
  std::unique_ptr<Tokenizer> with_special_tokens(std::span<const std::string> names) const override;

  const std::vector<Merge>& merges() const { return merges_; }

 protected:
  std::string spelling(std::string_view bytes) const override { return spell(bytes); }

 private:
  std::vector<Merge> merges_;
  BpeRules rules_;
  uint32_t number_;  // of this vocabulary and these merges in this process; copies share it
};

}  // namespace rlhf
