#include "serve/openai/token_names.h"

#include <fmt/core.h>

#include "core/unicode.h"

namespace rlhf::openai {

std::string bytes_of_token(const Tokenizer& tokenizer, int32_t token) {
  if (token < 0 || token >= tokenizer.vocab_size()) return fmt::format("<|{}|>", token);
  if (!tokenizer.is_special(token)) return tokenizer.token_bytes(token);
  for (const SpecialToken& special : tokenizer.special_tokens()) {
    if (special.id == token) return special.name;
  }
  return "";
}

std::string token_name(const Tokenizer& tokenizer, int32_t token, ByteSpelling spelling) {
  std::string bytes = bytes_of_token(tokenizer, token);
  if (!find_invalid_utf8(bytes)) return bytes;
  std::string name = spelling == ByteSpelling::completions ? "bytes:" : "";
  for (const char byte : bytes) name += fmt::format("\\x{:02x}", uint8_t(byte));
  return name;
}

}  // namespace rlhf::openai
