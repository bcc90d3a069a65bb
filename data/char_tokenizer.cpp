#include "data/char_tokenizer.h"

#include <set>

#include "core/check.h"
#include "core/unicode.h"
#include "data/tokenizer_json.h"

namespace rlhf {

CharTokenizer::CharTokenizer(Vocabulary vocabulary) : Tokenizer(std::move(vocabulary)) {
  for (int32_t id = 0; id < vocab_size(); id++) {
    if (!is_special(id)) ids_[code_point_at(token_bytes(id), 0).value] = id;
  }
}

CharTokenizer CharTokenizer::train(std::span<const std::string> documents) {
  std::set<int32_t> characters;
  for (const std::string& document : documents) {
    for (size_t at = 0; at < document.size();) {
      const CodePoint point = code_point_at(document, at);
      if (point.value == CodePoint::invalid) {
        input_error("tokenizer", "expected UTF-8, got the byte 0x{:02X}",
                    static_cast<uint8_t>(document[at]));
      }
      characters.insert(point.value);
      at += static_cast<size_t>(point.length);
    }
  }
  if (characters.empty()) input_error("tokenizer", "expected some text to learn from, got none");
  Vocabulary vocabulary;
  for (const int32_t character : characters) {
    append_utf8(vocabulary.tokens.emplace_back(), character);
  }
  append_default_specials(vocabulary);
  return CharTokenizer(std::move(vocabulary));
}

CharTokenizer CharTokenizer::from_vocabulary(Vocabulary spelled, std::string_view source) {
  std::vector<bool> is_special(spelled.tokens.size());
  for (const SpecialToken& special : spelled.specials) is_special[special.id] = true;
  for (size_t id = 0; id < spelled.tokens.size(); id++) {
    const std::string& token = spelled.tokens[id];
    if (is_special[id]) continue;
    if (static_cast<size_t>(code_point_at(token, 0).length) != token.size()) {
      input_error(source, "expected tokens of one character, got {}", quote(token));
    }
  }
  return CharTokenizer(std::move(spelled));
}

std::vector<int32_t> CharTokenizer::encode(std::string_view text) const {
  std::vector<int32_t> ids;
  ids.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const auto length = static_cast<size_t>(point.length);
    const auto found = ids_.find(point.value);
    if (found == ids_.end()) {
      input_error("text", "expected characters of the vocabulary, got {} as character {}",
                  quote(text.substr(at, length)), ids.size() + 1);
    }
    ids.push_back(found->second);
    at += length;
  }
  return ids;
}

std::unique_ptr<Tokenizer> CharTokenizer::with_special_tokens(
    std::span<const std::string> names) const {
  return std::unique_ptr<Tokenizer>(new CharTokenizer(extended(names)));
}

void CharTokenizer::save(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  write_tokenizer_files(folder, *this, spellings(), {}, TokenizerKind::characters);
}

}  // namespace rlhf
