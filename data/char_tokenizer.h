// One token per character (Unicode code point) of a corpus: the smallest tokenizer there is, for
// tiny models and for lessons. It has no "unknown" token, so a text with a character that the
// corpus did not contain is an error that names it.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/tokenizer.h"

namespace rlhf {

class CharTokenizer final : public Tokenizer {
 public:
  /// The characters of the documents in the order of their code points, then the end token and the
  /// pad token. @throws InputError if the documents contain no text or are not UTF-8.
  static CharTokenizer train(std::span<const std::string> documents);

  /// `spelled` is what vocab.json holds. @throws InputError "[source] ..." for an ordinary token
  /// that is not one character.
  static CharTokenizer from_vocabulary(Vocabulary spelled, std::string_view source);

  /// @throws InputError naming a character outside of the vocabulary and its place in the text.
  std::vector<int32_t> encode(std::string_view text) const override;
  void save(const std::filesystem::path& folder) const override;
  std::unique_ptr<Tokenizer> with_special_tokens(std::span<const std::string> names) const override;

 protected:
  std::string spelling(std::string_view bytes) const override { return std::string(bytes); }

 private:
  explicit CharTokenizer(Vocabulary vocabulary);

  std::unordered_map<int32_t, int32_t> ids_;  // by code point
};

}  // namespace rlhf
