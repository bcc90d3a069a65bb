#include "data/tokenizer.h"

#include "core/check.h"
#include "core/unicode.h"
#include "data/bpe.h"
#include "data/char_tokenizer.h"
#include "data/tokenizer_files.h"

namespace rlhf {

Tokenizer::Tokenizer(std::vector<std::string> tokens, SpecialToken eos, SpecialToken pad)
    : tokens_(std::move(tokens)), eos_(std::move(eos)), pad_(std::move(pad)) {
  check(eos_.id != pad_.id && eos_.id >= 0 && pad_.id >= 0 && eos_.id < vocab_size() &&
            pad_.id < vocab_size(),
        "tokenizer", "expected two special ids below {}, got {} and {}", vocab_size(), eos_.id,
        pad_.id);
  tokens_[eos_.id].clear();
  tokens_[pad_.id].clear();
}

const std::string& Tokenizer::token_bytes(int32_t id) const {
  if (id < 0 || id >= vocab_size()) {
    input_error("decode", "expected token ids in [0, {}), got {}", vocab_size(), id);
  }
  return tokens_[id];
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::string text;
  for (const int32_t id : ids) text += token_bytes(id);
  return text;
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
  const TokenizerConfig config = read_tokenizer_config(folder);
  if (config.kind == TokenizerKind::characters) {
    return std::make_unique<CharTokenizer>(CharTokenizer::load(folder, config));
  }
  return std::make_unique<BpeTokenizer>(BpeTokenizer::load(folder, config));
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
