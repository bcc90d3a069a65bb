// The files of a tokenizer, as GPT-2's release and transformers lay them out, from text to checked
// values. Everything here takes bytes in memory and a name for messages, never a path: whoever
// holds bytes from elsewhere (a test, a fuzzer) goes through the same door as load_tokenizer.
// Nothing in a file is believed, and nothing is allocated by a number that it states.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/tokenizer.h"

namespace rlhf {

/// The files of a folder as they are; what is not there is none.
struct TokenizerTexts {
  std::optional<std::string> config;          ///< tokenizer_config.json
  std::optional<std::string> vocabulary;      ///< vocab.json
  std::optional<std::string> merges;          ///< merges.txt
  std::optional<std::string> added_tokens;    ///< added_tokens.json
  std::optional<std::string> tokenizer_json;  ///< tokenizer.json
  std::optional<std::string> chat_template;   ///< chat_template.jinja
};

/// @throws InputError for a file that is there and no text.
TokenizerTexts read_tokenizer_texts(const std::filesystem::path& folder);

/// load_tokenizer without the disk; `folder` only names the files in messages.
/// @throws InputError
std::unique_ptr<Tokenizer> parse_tokenizer(const TokenizerTexts& texts,
                                           const std::filesystem::path& folder);

/// Tokens, as files spell them, and their ids; where they stand, for messages.
struct TokenIds {
  std::string source;
  std::vector<std::pair<std::string, int32_t>> tokens;
};

enum class TokenizerKind { byte_pairs, characters };

struct TokenizerConfig {
  std::string tokenizer_class;  ///< empty: the config names none
  std::string eos_name{default_eos_name};
  std::string pad_name{default_pad_name};
  std::vector<std::string> optional_specials;  ///< bos_token and the like: special if they exist
  std::vector<std::string> required_specials;  ///< additional_special_tokens
  std::optional<TokenIds> added;               ///< added_tokens_decoder
  std::string chat_template;                   ///< of several, as old writers have them, their JSON

  TokenizerKind kind() const;
};

/// tokenizer_config.json. A pad token that equals the end token, a habit of GPT-2's users, counts
/// as none: such padding teaches a model to ignore the end. @throws InputError
TokenizerConfig parse_tokenizer_config(std::string_view text, std::string_view source);

/// vocab.json says which tokens there are and not how text is cut into words: only a class that
/// cuts as GPT-2 does can be read from it. @throws InputError
void check_vocabulary_class(const TokenizerConfig& config, std::string_view source);

/// transformers cuts a text at its added tokens before anything else. Where these are special that
/// does not concern us, since no text encodes to a special token; others are not implemented.
/// @throws InputError unless `token`, an entry of a list of added tokens, is special.
void require_special(const nlohmann::json& token, std::string_view name, std::string_view source);

/// An object of tokens and ids: vocab.json, or added_tokens.json. @throws InputError
TokenIds parse_token_ids(std::string_view text, std::string_view source);

/// The same from JSON that is parsed already.
TokenIds token_ids(const nlohmann::json& object, std::string_view source);

/// An id from JSON. @throws InputError unless it is a whole number of [0, 2^31).
int32_t token_id(const nlohmann::json& id, std::string_view token, std::string_view source);

/// Puts the lists of a folder together: a vocabulary and the special tokens added to it, which may
/// repeat tokens of the vocabulary under the same id. A pad token that neither has is appended.
/// @returns spellings in place of bytes.
/// @throws InputError unless the ids are 0..n-1, each once, and the special tokens that `config`
/// names are among them.
Vocabulary assemble_vocabulary(const TokenIds& vocabulary, std::span<const TokenIds> added,
                               const TokenizerConfig& config);

/// @throws InputError unless `name` may name a special token: not empty, UTF-8, of at most 256
/// bytes and without control characters.
void check_special_name(std::string_view name, std::string_view source);

/// Appends the end and the pad token under their default names.
void append_default_specials(Vocabulary& vocabulary);

/// Writes tokenizer_config.json, and chat_template.jinja if there is one; all special tokens but
/// the end and the pad token are "additional".
void write_tokenizer_config(const std::filesystem::path& folder, const Tokenizer& tokenizer,
                            TokenizerKind kind);

}  // namespace rlhf
