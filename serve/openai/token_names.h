// How single tokens are written in answers. A token's bytes need not be text: a byte-level token
// may be a part of a character. What is no text is spelt out in bytes, in OpenAI's two ways, so
// that two tokens never share a name.
#pragma once

#include <string>
#include <string_view>

#include "data/tokenizer.h"

namespace rlhf::openai {

enum class ByteSpelling {
  completions,  ///< "bytes:\xe5\xa5", the prefix once
  chat,         ///< "\xe5\xa5"
};

/// The text of a token, or its bytes spelt; a special token's name; "<|7|>" for an id that pads the
/// embedding and is no token.
std::string token_name(const Tokenizer& tokenizer, int32_t token, ByteSpelling spelling);

/// Its bytes; of a special token, its name's.
std::string bytes_of_token(const Tokenizer& tokenizer, int32_t token);

}  // namespace rlhf::openai
