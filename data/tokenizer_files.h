// What the tokenizers' files have in common: tokenizer_config.json and vocab.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/tokenizer.h"

namespace rlhf {

enum class TokenizerKind { byte_pairs, characters };

struct TokenizerConfig {
  TokenizerKind kind = TokenizerKind::byte_pairs;
  std::string eos_name{default_eos_name};
  std::string pad_name{default_pad_name};
};

/// The config of a folder; see load_tokenizer for a folder without one. A pad token that equals the
/// end token, a habit of GPT-2's users, counts as none: such padding teaches a model to ignore
/// the end.
TokenizerConfig read_tokenizer_config(const std::filesystem::path& folder);

void write_tokenizer_config(const std::filesystem::path& folder, const TokenizerConfig& config);

/// The spellings of vocab.json by id, and its special tokens. A pad token that the file lacks
/// is appended.
struct Vocabulary {
  std::vector<std::string> spellings;
  SpecialToken eos, pad;
};

/// @throws InputError unless the file maps spellings to the ids 0..n-1, each once, the end token
/// among them.
Vocabulary read_vocabulary(const std::filesystem::path& file, const TokenizerConfig& config);

void write_vocabulary(const std::filesystem::path& file, const std::vector<std::string>& spellings);

}  // namespace rlhf
