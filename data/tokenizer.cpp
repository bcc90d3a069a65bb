#include "data/tokenizer.h"

#include <algorithm>
#include <unordered_set>

#include "core/check.h"
#include "core/unicode.h"
#include "data/tokenizer_files.h"

namespace rlhf {

Tokenizer::Tokenizer(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {
  auto& [tokens, specials, eos, pad, chat_template] = vocabulary_;
  std::sort(specials.begin(), specials.end(),
            [](const SpecialToken& a, const SpecialToken& b) { return a.id < b.id; });
  std::unordered_set<std::string_view> names;
  int32_t last = -1;
  for (const auto& [name, id] : specials) {
    check(id > last && id < vocab_size() && names.insert(name).second, "tokenizer",
          "expected special tokens of distinct names and ids below {}, got {} for {}", vocab_size(),
          id, quote(name));
    tokens[last = id].clear();
  }
  check(eos != pad && is_special(eos) && is_special(pad), "tokenizer",
        "expected two special ids below {}, got {} and {}", vocab_size(), eos, pad);
  const auto without_bytes = std::count(tokens.begin(), tokens.end(), "");
  check(static_cast<size_t>(without_bytes) == specials.size(), "tokenizer",
        "expected {} tokens without bytes, got {}", specials.size(), without_bytes);
}

std::optional<int32_t> Tokenizer::special_id(std::string_view name) const {
  for (const SpecialToken& special : special_tokens()) {
    if (special.name == name) return special.id;
  }
  return std::nullopt;
}

std::vector<std::string> Tokenizer::spellings() const {
  std::vector<std::string> spellings;
  spellings.reserve(vocabulary_.tokens.size());
  for (const std::string& bytes : vocabulary_.tokens) spellings.push_back(spelling(bytes));
  for (const auto& [name, id] : special_tokens()) spellings[id] = name;
  return spellings;
}

Vocabulary Tokenizer::extended(std::span<const std::string> names) const {
  const std::vector<std::string> known = spellings();
  const std::unordered_set<std::string_view> taken(known.begin(), known.end());
  Vocabulary vocabulary = vocabulary_;
  std::unordered_set<std::string_view> added;
  for (const std::string& name : names) {
    if (special_id(name) || !added.insert(name).second) continue;
    check_special_name(name, "special tokens");
    if (taken.contains(name)) {
      input_error("special tokens", "expected names that are no ordinary tokens, got {}",
                  quote(name));
    }
    vocabulary.specials.push_back({name, static_cast<int32_t>(vocabulary.tokens.size())});
    vocabulary.tokens.emplace_back();
  }
  return vocabulary;
}

const std::string& Tokenizer::token_bytes(int32_t id) const {
  if (id < 0 || id >= vocab_size()) {
    input_error("decode", "expected token ids in [0, {}), got {}", vocab_size(), id);
  }
  return vocabulary_.tokens[id];
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::string text;
  for (const int32_t id : ids) text += token_bytes(id);
  return text;
}

std::string StreamDecoder::push(int32_t id) {
  held_ += tokenizer_.token_bytes(id);
  return take(held_.size() - incomplete_utf8_tail(held_));
}

std::string StreamDecoder::finish() { return take(held_.size()); }

std::string StreamDecoder::take(size_t size) {
  std::string text;
  for (size_t at = 0; at < size;) {
    const CodePoint point = code_point_at(std::string_view(held_).substr(0, size), at);
    append_utf8(text, point.value == CodePoint::invalid ? 0xFFFD : point.value);
    at += static_cast<size_t>(point.length);
  }
  held_.erase(0, size);
  return text;
}

}  // namespace rlhf
