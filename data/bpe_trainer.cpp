#include "data/bpe_trainer.h"

#include <algorithm>
#include <queue>
#include <unordered_map>

#include "core/check.h"
#include "data/pre_tokenizer.h"

namespace rlhf {
namespace {

/// The distinct words of the corpus as they are merged so far, with the count of every pair kept
/// up to date: a merge touches only the words that contain it.
class PairCounts {
 public:
  struct Candidate {
    int64_t count = 0;
    int32_t left = 0, right = 0;
    bool operator<(const Candidate& other) const {
      if (count != other.count) return count < other.count;
      return left != other.left ? left > other.left : right > other.right;
    }
  };

  explicit PairCounts(std::span<const std::string> documents) {
    std::array<int32_t, 256> byte_ids;
    for (int32_t id = 0; id < 256; id++) byte_ids[byte_order()[id]] = id;
    std::unordered_map<std::string_view, size_t> known;
    for (const std::string& document : documents) {
      for_each_word(document, [&](std::string_view word) {
        const auto [found, is_new] = known.try_emplace(word, words_.size());
        if (is_new) words_.emplace_back();
        words_[found->second].count++;
      });
    }
    for (const auto& [word, index] : known) {
      for (const char byte : word) {
        words_[index].tokens.push_back(byte_ids[static_cast<uint8_t>(byte)]);
      }
    }
    for (size_t index = 0; index < words_.size(); index++) {
      const std::vector<int32_t>& tokens = words_[index].tokens;
      for (size_t i = 0; i + 1 < tokens.size(); i++) add(tokens[i], tokens[i + 1], index);
    }
    pairs_.for_each([&](int32_t left, int32_t right, const Pair& pair) {
      candidates_.push({pair.count, left, right});
    });
  }

  bool empty() const { return words_.empty(); }

  /// Replaces the most frequent pair everywhere by `result` and returns it; without a pair that
  /// occurs twice it changes nothing and returns a count of 0.
  Candidate merge_best(int32_t result) {
    const Candidate best = pop_best();
    if (best.count < 2) return {};
    grown_.clear();
    const std::vector<size_t> words = std::move(pairs_(best.left, best.right).words);
    for (const size_t index : words) merge_in_word(index, best.left, best.right, result);
    pairs_(best.left, best.right) = {};
    std::sort(grown_.begin(), grown_.end());
    grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
    for (const auto& [left, right] : grown_) {
      candidates_.push({pairs_(left, right).count, left, right});
    }
    return best;
  }

 private:
  struct Word {
    int64_t count = 0;
    std::vector<int32_t> tokens;
  };
  struct Pair {
    int64_t count = 0;
    std::vector<size_t> words;  // all that contain it, and some that no longer do
  };

  /// A pair grows only while the later of its two tokens is made, and is queued after that. Queued
  /// counts are therefore never too small: a top that is up to date is the best one, and a top that
  /// has fallen goes back to its place.
  Candidate pop_best() {
    while (!candidates_.empty()) {
      Candidate best = candidates_.top();
      candidates_.pop();
      const int64_t count = pairs_(best.left, best.right).count;
      if (count == best.count) return best;
      if (count > 1) candidates_.push({count, best.left, best.right});
    }
    return {};
  }

  void add(int32_t left, int32_t right, size_t index) {
    Pair& pair = pairs_(left, right);
    pair.count += words_[index].count;
    if (pair.words.empty() || pair.words.back() != index) pair.words.push_back(index);
  }

  void grow(int32_t left, int32_t right, size_t index) {
    add(left, right, index);
    grown_.emplace_back(left, right);
  }

  void merge_in_word(size_t index, int32_t left, int32_t right, int32_t result) {
    auto& [count, tokens] = words_[index];
    size_t end = 0;  // of the merged word, which is written over the old one
    for (size_t i = 0; i < tokens.size(); i++) {
      if (i + 1 == tokens.size() || tokens[i] != left || tokens[i + 1] != right) {
        tokens[end++] = tokens[i];
        continue;
      }
      if (end > 0) {
        pairs_(tokens[end - 1], left).count -= count;
        grow(tokens[end - 1], result, index);
      }
      if (i + 2 < tokens.size()) {
        pairs_(right, tokens[i + 2]).count -= count;
        grow(result, tokens[i + 2], index);
      }
      tokens[end++] = result;
      i++;
    }
    tokens.resize(end);
  }

  std::vector<Word> words_;
  PairTable<Pair> pairs_;
  std::priority_queue<Candidate> candidates_;
  std::vector<std::pair<int32_t, int32_t>> grown_;  // the pairs that the current merge made
};

}  // namespace

BpeTokenizer train_bpe(std::span<const std::string> documents, int vocab_size,
                       const TokenizerProgress& progress) {
  constexpr int bytes = 256, specials = 2;
  if (vocab_size < bytes + specials) {
    input_error("vocab_size", "expected at least {} (256 bytes and 2 special tokens), got {}",
                bytes + specials, vocab_size);
  }
  PairCounts pairs(documents);
  if (pairs.empty()) input_error("tokenizer", "expected some text to learn from, got none");
  std::vector<Merge> merges;
  for (int32_t result = bytes; result + specials < vocab_size; result++) {
    const auto [count, left, right] = pairs.merge_best(result);
    if (count == 0) break;
    merges.push_back({left, right, result});
    if (progress) progress(result + 1 + specials, vocab_size);
  }
  return BpeTokenizer::from_merges(std::move(merges));
}

}  // namespace rlhf
