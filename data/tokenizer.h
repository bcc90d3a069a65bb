// What every tokenizer is to the rest of the program: text to ids and back. Encoding knows ordinary
// text only: whatever a text contains, even the spelling of the end token, it never becomes a
// special token, so data and users cannot forge control tokens. Special ids are appended by code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

/// A token that no text encodes to and that decodes to nothing.
struct SpecialToken {
  std::string name;
  int32_t id;
};

/// All tokens of a tokenizer by id.
struct Vocabulary {
  std::vector<std::string> tokens;     ///< their bytes; anything for special ones
  std::vector<SpecialToken> specials;  ///< each id and name once, eos and pad among them
  int32_t eos = -1, pad = -1;
  std::string chat_template = {};  ///< Jinja as transformers has it; empty: none
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// The ids of a text, none of them special. Safe to call from several threads.
  /// @throws InputError if the vocabulary cannot spell the text (byte-level ones spell all bytes).
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;

  /// Writes the files that load_tokenizer reads into a folder, which is made if it is missing.
  virtual void save(const std::filesystem::path& folder) const = 0;

  /// This tokenizer with further special tokens behind its last id, in the order given; all else
  /// keeps its id. A name that is a special token already stays what it is.
  /// @throws InputError for a name that is empty, not UTF-8, contains control characters, or spells
  /// an ordinary token.
  virtual std::unique_ptr<Tokenizer> with_special_tokens(
      std::span<const std::string> names) const = 0;

  /// The bytes of the ids, special tokens left out.
  /// @throws InputError for an id outside of [0, vocab_size).
  std::string decode(std::span<const int32_t> ids) const;

  /// The bytes of one token; empty for a special one. Not always UTF-8: a byte-level token may be
  /// a part of a character. @throws InputError for an id outside of [0, vocab_size).
  const std::string& token_bytes(int32_t id) const;

  /// The number of ids, special ones included.
  int32_t vocab_size() const { return static_cast<int32_t>(vocabulary_.tokens.size()); }

  int32_t eos() const { return vocabulary_.eos; }
  int32_t pad() const { return vocabulary_.pad; }  // never equal to eos()

  /// All special tokens in the order of their ids, the end and the pad token among them.
  const std::vector<SpecialToken>& special_tokens() const { return vocabulary_.specials; }

  /// The id of a special token, if there is one of this name.
  std::optional<int32_t> special_id(std::string_view name) const;

  /// How conversations are written, in transformers' form: kept with the files and never
  /// interpreted (data/chat_template.h knows one). Empty: not at all.
  const std::string& chat_template() const { return vocabulary_.chat_template; }
  void set_chat_template(std::string jinja) { vocabulary_.chat_template = std::move(jinja); }

  bool is_special(int32_t id) const {
    return id >= 0 && id < vocab_size() && vocabulary_.tokens[id].empty();
  }

 protected:
  /// @throws Error unless special ids and names are distinct, eos and pad are two of them, and all
  /// other tokens have bytes.
  explicit Tokenizer(Vocabulary vocabulary);

  /// How an ordinary token of these bytes is written in files.
  virtual std::string spelling(std::string_view bytes) const = 0;

  /// All tokens by id as files write them: spellings, and the names of special tokens.
  std::vector<std::string> spellings() const;

  /// The vocabulary of with_special_tokens.
  Vocabulary extended(std::span<const std::string> names) const;

 private:
  Vocabulary vocabulary_;
};

inline constexpr std::string_view default_eos_name = "<|endoftext|>";
inline constexpr std::string_view default_pad_name = "<|pad|>";

/// Reads a tokenizer from a model folder: vocab.json and, for byte-pair encoding, merges.txt, else
/// tokenizer.json; tokenizer_config.json (and added_tokens.json) say which tokens are special.
/// Without a config byte pairs and the default names are meant, so that GPT-2's two files load as
/// they are. A vocabulary without a pad token of its own gets one extra id behind its last.
/// @throws InputError naming the file (and line) that is missing or wrong, or what of it is not
/// implemented.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder);

/// Turns tokens into text as they come, for printing: a character that is spread over several
/// tokens is held back until it is whole. What comes out is always UTF-8; bytes that belong to no
/// character come out as U+FFFD.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// The text that can be printed now.
  std::string push(int32_t id);

  /// The text that was still held back when the last token had come.
  std::string finish();

 private:
  std::string take(size_t size);

  const Tokenizer& tokenizer_;
  std::string held_;
};

}  // namespace rlhf
