#include "data/char_tokenizer.h"

#include <set>

#include "core/check.h"
#include "core/unicode.h"

namespace rlhf {

CharTokenizer::CharTokenizer(std::vector<std::string> tokens, SpecialToken eos, SpecialToken pad)
    : Tokenizer(std::move(tokens), std::move(eos), std::move(pad)) {
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
  std::vector<std::string> tokens;
  for (const int32_t character : characters) append_utf8(tokens.emplace_back(), character);
  const auto eos = static_cast<int32_t>(tokens.size());
  tokens.resize(tokens.size() + 2);
  return CharTokenizer(std::move(tokens), {std::string(default_eos_name), eos},
                       {std::string(default_pad_name), eos + 1});
}

CharTokenizer CharTokenizer::load(const std::filesystem::path& folder,
                                  const TokenizerConfig& config) {
  const std::filesystem::path file = folder / "vocab.json";
  Vocabulary vocabulary = read_vocabulary(file, config);
  for (size_t id = 0; id < vocabulary.spellings.size(); id++) {
    const std::string& token = vocabulary.spellings[id];
    const auto index = static_cast<int32_t>(id);
    if (index == vocabulary.eos.id || index == vocabulary.pad.id) continue;
    if (token.empty() || static_cast<size_t>(code_point_at(token, 0).length) != token.size()) {
      input_error(file.string(), "expected tokens of one character, got {}", quote(token));
    }
  }
  return CharTokenizer(std::move(vocabulary.spellings), vocabulary.eos, vocabulary.pad);
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

void CharTokenizer::save(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  std::vector<std::string> spellings;
  for (int32_t id = 0; id < vocab_size(); id++) spellings.push_back(token_bytes(id));
  spellings[eos()] = eos_token().name;
  spellings[pad()] = pad_token().name;
  write_vocabulary(folder / "vocab.json", spellings);
  write_tokenizer_config(folder, {TokenizerKind::characters, eos_token().name, pad_token().name});
}

}  // namespace rlhf
