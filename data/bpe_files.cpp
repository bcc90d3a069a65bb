// GPT-2's two files. Tokens are bytes, JSON and text lines are characters, so the release spells
// each byte as one printable character: the printable bytes of Latin-1 as themselves, the other 68
// as U+0100 and up. vocab.json maps spellings to ids; merges.txt has a version line and then one
// learnt pair per line, the spellings of its two parts separated by a space.
#include <algorithm>
#include <unordered_map>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/unicode.h"
#include "data/bpe.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

struct ByteSpelling {
  std::array<int32_t, 256> character;         // the code point that spells a byte
  std::unordered_map<int32_t, uint8_t> byte;  // and back
};

const ByteSpelling& byte_spelling() {
  static const auto spelling = [] {
    ByteSpelling map;
    int32_t next = 0x100;
    for (size_t i = 0; i < 256; i++) {
      const uint8_t byte = byte_order()[i];
      map.character[byte] = i < 188 ? byte : next++;
      map.byte[map.character[byte]] = byte;
    }
    return map;
  }();
  return spelling;
}

std::string spell(std::string_view bytes) {
  std::string spelling;
  for (const char byte : bytes) {
    append_utf8(spelling, byte_spelling().character[static_cast<uint8_t>(byte)]);
  }
  return spelling;
}

std::string unspell(std::string_view spelling, std::string_view source) {
  std::string bytes;
  for (size_t at = 0; at < spelling.size();) {
    const CodePoint point = code_point_at(spelling, at);
    const auto found = byte_spelling().byte.find(point.value);
    if (found == byte_spelling().byte.end()) {
      input_error(source, "expected tokens in GPT-2's spelling of bytes, got {}", quote(spelling));
    }
    bytes += static_cast<char>(found->second);
    at += static_cast<size_t>(point.length);
  }
  return bytes;
}

std::vector<Merge> read_merges(const std::filesystem::path& file,
                               const std::vector<std::string>& spellings) {
  std::unordered_map<std::string_view, int32_t> ids;
  for (size_t id = 0; id < spellings.size(); id++) ids[spellings[id]] = static_cast<int32_t>(id);

  const std::string text = read_text(file);
  std::vector<Merge> merges;
  PairTable<bool> seen;
  int64_t line = 1;
  for (size_t at = 0; at < text.size(); line++) {
    const std::string_view content = next_line(text, at, file.string(), line);
    if (content.empty() || (line == 1 && content.starts_with("#version"))) continue;
    const std::string where = fmt::format("{}:{}", file.string(), line);
    const size_t space = content.find(' ');
    if (space == 0 || space + 1 >= content.size() || content.find(' ', space + 1) != content.npos) {
      input_error(where, "expected two tokens separated by a space, got {}", quote(content));
    }
    const std::string left(content.substr(0, space)), right(content.substr(space + 1));
    for (const std::string& token : {left, right, left + right}) {
      if (!ids.contains(token)) {
        input_error(where, "expected tokens of vocab.json, got {}", quote(token));
      }
    }
    if (std::exchange(seen(ids[left], ids[right]), true)) {
      input_error(where, "expected each pair once, got {} again", quote(content));
    }
    merges.push_back({ids[left], ids[right], ids[left + right]});
  }
  return merges;
}

}  // namespace

BpeTokenizer BpeTokenizer::load(const std::filesystem::path& folder,
                                const TokenizerConfig& config) {
  const std::filesystem::path vocab_file = folder / "vocab.json",
                              merges_file = folder / "merges.txt";
  const Vocabulary vocabulary = read_vocabulary(vocab_file, config);
  const auto is_special = [&](int32_t id) {
    return id == vocabulary.eos.id || id == vocabulary.pad.id;
  };
  std::vector<std::string> tokens;
  std::array<bool, 256> spelt{};
  for (const std::string& spelling : vocabulary.spellings) {
    const bool special = is_special(static_cast<int32_t>(tokens.size()));
    tokens.push_back(special ? "" : unspell(spelling, vocab_file.string()));
    if (tokens.back().size() == 1) spelt[static_cast<uint8_t>(tokens.back()[0])] = true;
  }
  if (const auto missing = std::find(spelt.begin(), spelt.end(), false); missing != spelt.end()) {
    input_error(vocab_file.string(),
                "expected a token for each of the 256 bytes, found none for {}",
                quote(spell(std::string(1, static_cast<char>(missing - spelt.begin())))));
  }
  std::vector<Merge> merges = read_merges(merges_file, vocabulary.spellings);
  for (const Merge& merge : merges) {
    if (is_special(merge.left) || is_special(merge.right) || is_special(merge.result)) {
      input_error(merges_file.string(),
                  "expected merges of ordinary tokens, got the special token {}",
                  quote(vocabulary.spellings[merge.result]));
    }
  }
  return BpeTokenizer(std::move(tokens), std::move(merges), vocabulary.eos, vocabulary.pad);
}

void BpeTokenizer::save(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  std::vector<std::string> spellings;
  for (int32_t id = 0; id < vocab_size(); id++) spellings.push_back(spell(token_bytes(id)));
  spellings[eos()] = eos_token().name;
  spellings[pad()] = pad_token().name;

  std::string merges = "#version: 0.2\n";
  for (const Merge& merge : merges_) {
    merges += spellings[merge.left] + ' ' + spellings[merge.right] + '\n';
  }
  write_vocabulary(folder / "vocab.json", spellings);
  atomic_write(folder / "merges.txt", merges);
  write_tokenizer_config(folder, {TokenizerKind::byte_pairs, eos_token().name, pad_token().name});
}

}  // namespace rlhf
