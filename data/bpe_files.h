// merges.txt, and the step from spelled tokens and merges to a tokenizer, which merges.txt and
// tokenizer.json share.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/bpe.h"

namespace rlhf {

/// Collects merges and checks each against the vocabulary.
class MergeReader {
 public:
  /// `spelled` holds spellings in place of bytes and must outlive the reader.
  explicit MergeReader(const Vocabulary& spelled);

  /// @throws InputError "[where] ..." unless both parts and what they make are ordinary tokens, and
  /// the pair is new.
  void add(std::string_view left, std::string_view right, std::string_view where);

  std::vector<Merge> take() { return std::move(merges_); }

 private:
  int32_t ordinary_token(std::string_view spelling, std::string_view where) const;

  std::unordered_map<std::string_view, int32_t> ids_;
  std::vector<bool> is_special_;
  PairTable<bool> seen_;
  std::vector<Merge> merges_;
};

/// merges.txt: a version line, then one learnt pair per line, the spellings of its two parts
/// separated by a space. @throws InputError naming the line.
std::vector<Merge> parse_merges(std::string_view text, std::string_view source,
                                const Vocabulary& spelled);

std::string merges_text(const std::vector<std::string>& spellings,
                        const std::vector<Merge>& merges);

/// @throws InputError "[source] ..." unless all tokens are spelled bytes and all 256 bytes tokens.
BpeTokenizer make_bpe(Vocabulary spelled, std::vector<Merge> merges, std::string_view source);

}  // namespace rlhf
