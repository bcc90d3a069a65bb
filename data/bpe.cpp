#include "data/bpe.h"

#include <atomic>

#include "core/atomic_file.h"
#include "core/check.h"
#include "data/bpe_files.h"
#include "data/bpe_word_cache.h"
#include "data/pre_tokenizer.h"
#include "data/tokenizer_json.h"

namespace rlhf {
namespace {

std::array<int32_t, 256> byte_ids(const Tokenizer& tokenizer) {
  std::array<int32_t, 256> ids;
  ids.fill(-1);
  for (int32_t id = 0; id < tokenizer.vocab_size(); id++) {
    const std::string& bytes = tokenizer.token_bytes(id);
    if (bytes.size() == 1) ids[static_cast<uint8_t>(bytes[0])] = id;
  }
  for (int byte = 0; byte < 256; byte++) {
    check(ids[byte] >= 0, "tokenizer", "expected a token for each byte, got none for 0x{:02X}",
          byte);
  }
  return ids;
}

uint32_t next_number() {
  static std::atomic<uint32_t> last{0};
  return ++last;
}

}  // namespace

BpeTokenizer::BpeTokenizer(Vocabulary vocabulary, std::vector<Merge> merges)
    : Tokenizer(std::move(vocabulary)),
      merges_(std::move(merges)),
      rules_(byte_ids(*this), merges_),
      number_(next_number()) {
  check(rules_.size() == merges_.size(), "tokenizer", "expected each pair once, got {} of {}",
        rules_.size(), merges_.size());
  for (const auto& [left, right, result] : merges_) {
    // A special token's bytes are empty, so this also keeps merges from making one.
    check(!is_special(left) && !is_special(right) &&
              token_bytes(left) + token_bytes(right) == token_bytes(result),
          "tokenizer", "expected merges to join two tokens into their bytes, got {} + {} -> {}",
          left, right, result);
  }
}

BpeTokenizer BpeTokenizer::from_merges(std::vector<Merge> merges) {
  Vocabulary vocabulary;
  auto& tokens = vocabulary.tokens;
  for (const uint8_t byte : byte_order()) tokens.emplace_back(1, static_cast<char>(byte));
  for (const Merge& merge : merges) {
    check(merge.result == static_cast<int32_t>(tokens.size()) && merge.left < merge.result &&
              merge.right < merge.result && merge.left >= 0 && merge.right >= 0,
          "tokenizer", "expected merges of earlier tokens into the next id {}, got {} + {} -> {}",
          tokens.size(), merge.left, merge.right, merge.result);
    tokens.push_back(tokens[merge.left] + tokens[merge.right]);
  }
  append_default_specials(vocabulary);
  return BpeTokenizer(std::move(vocabulary), std::move(merges));
}

std::vector<int32_t> BpeTokenizer::encode(std::string_view text) const {
  thread_local BpeWordCache cache;
  std::vector<int32_t> ids;
  ids.reserve(text.size() / 3);
  for_each_word(text, [&](std::string_view word) {
    cache.append(number_, word, ids, [&] { rules_.encode_word(word, ids); });
  });
  return ids;
}

std::unique_ptr<Tokenizer> BpeTokenizer::with_special_tokens(
    std::span<const std::string> names) const {
  return std::make_unique<BpeTokenizer>(extended(names), merges_);
}

void BpeTokenizer::save(const std::filesystem::path& folder) const {
  const std::vector<std::string> known = spellings();
  std::filesystem::create_directories(folder);
  atomic_write(folder / "merges.txt", merges_text(known, merges_));
  write_tokenizer_files(folder, *this, known, merges_, TokenizerKind::byte_pairs);
}

}  // namespace rlhf
