// tokenizer.json, the one file of Hugging Face's tokenizers library that says all: tokens, merges,
// special tokens, and how text is cut. What it asks for beyond GPT-2's kind is refused by name.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/bpe_rules.h"
#include "data/tokenizer_files.h"

namespace rlhf {

struct TokenizerJson {
  TokenIds vocabulary;                                      ///< model.vocab
  TokenIds added;                                           ///< added_tokens
  std::vector<std::pair<std::string, std::string>> merges;  ///< spelled, in either form of the file
};

/// @throws InputError for what is malformed or not implemented.
TokenizerJson parse_tokenizer_json(std::string_view text, std::string_view source);

/// Writes vocab.json, tokenizer.json and tokenizer_config.json. `spellings` are the tokens by id as
/// files write them; characters have no merges.
void write_tokenizer_files(const std::filesystem::path& folder, const Tokenizer& tokenizer,
                           const std::vector<std::string>& spellings,
                           const std::vector<Merge>& merges, TokenizerKind kind);

}  // namespace rlhf
