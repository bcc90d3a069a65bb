// One token per character (Unicode code point) of a corpus: the smallest tokenizer there is, for
// tiny models and for lessons. It has no "unknown" token, so a text with a character that the
// corpus did not contain is an error that names it.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/tokenizer.h"
#include "data/tokenizer_files.h"

namespace rlhf {

class CharTokenizer final : public Tokenizer {
 public:
  /// The characters of the documents in the order of their code points, then the end token and the
  /// pad token. @throws InputError if the documents contain no text or are not UTF-8.
  static CharTokenizer train(std::span<const std::string> documents);

  /// Reads vocab.json. @throws InputError naming the file.
  static CharTokenizer load(const std::filesystem::path& folder, const TokenizerConfig& config);

  /// @throws InputError naming a character outside of the vocabulary and its place in the text.
  std::vector<int32_t> encode(std::string_view text) const override;
  void save(const std::filesystem::path& folder) const override;

 private:
  CharTokenizer(std::vector<std::string> tokens, SpecialToken eos, SpecialToken pad);

  std::unordered_map<int32_t, int32_t> ids_;  // by code point
};

}  // namespace rlhf
