// What every tokenizer is to the rest of the program: text to ids and back. Encoding knows ordinary
// text only: whatever a text contains, even the spelling of the end token, it never becomes a
// special token, so data and users cannot forge control tokens. Special ids are appended by code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
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

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// The ids of a text, none of them special. Safe to call from several threads.
  /// @throws InputError if the vocabulary cannot spell the text (byte-level ones spell all bytes).
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;

  /// Writes the files that load_tokenizer reads into a folder, which is made if it is missing.
  virtual void save(const std::filesystem::path& folder) const = 0;

  /// The bytes of the ids, special tokens left out.
  /// @throws InputError for an id outside of [0, vocab_size).
  std::string decode(std::span<const int32_t> ids) const;

  /// The bytes of one token; empty for a special one. Not always UTF-8: a byte-level token may be
  /// a part of a character. @throws InputError for an id outside of [0, vocab_size).
  const std::string& token_bytes(int32_t id) const;

  /// The number of ids, special ones included.
  int32_t vocab_size() const { return static_cast<int32_t>(tokens_.size()); }

  int32_t eos() const { return eos_.id; }
  int32_t pad() const { return pad_.id; }  // never equal to eos()
  bool is_special(int32_t id) const { return id == eos_.id || id == pad_.id; }

 protected:
  /// `tokens` are the bytes of all ids; those of the special ones are ignored.
  Tokenizer(std::vector<std::string> tokens, SpecialToken eos, SpecialToken pad);

  const SpecialToken& eos_token() const { return eos_; }
  const SpecialToken& pad_token() const { return pad_; }

 private:
  std::vector<std::string> tokens_;
  SpecialToken eos_, pad_;
};

inline constexpr std::string_view default_eos_name = "<|endoftext|>";
inline constexpr std::string_view default_pad_name = "<|pad|>";

/// Reads a tokenizer from a model folder: vocab.json, merges.txt for byte-pair encoding, and
/// tokenizer_config.json, which says which kind it is. Without the last, merges.txt decides and the
/// special tokens have their default names, so that GPT-2's two files load as they are. A
/// vocabulary without a pad token of its own gets one extra id behind its last.
/// @throws InputError naming the file (and line) that is missing or wrong.
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
