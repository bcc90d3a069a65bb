#include "data/bpe.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>

#include "core/check.h"
#include "data/pre_tokenizer.h"

namespace rlhf {

const std::array<uint8_t, 256>& byte_order() {
  static const auto order = [] {
    std::array<uint8_t, 256> bytes;
    for (int byte = 0; byte < 256; byte++) bytes[byte] = static_cast<uint8_t>(byte);
    std::stable_partition(bytes.begin(), bytes.end(), [](uint8_t byte) {
      return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    });
    return bytes;
  }();
  return order;
}

/// Merges the tokens of one word: a linked list of them and a heap of the pairs that can merge, so
/// that a word of n bytes takes O(n log n) and not O(n^2) steps; a "word" can be a whole file of
/// 'a's.
class BpeTokenizer::WordEncoder {
 public:
  explicit WordEncoder(const BpeTokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void encode(std::string_view word, std::vector<int32_t>& out) {
    const auto size = static_cast<int64_t>(word.size());
    nodes_.clear();
    for (int64_t i = 0; i < size; i++) {
      const int32_t id = tokenizer_.byte_ids_[static_cast<uint8_t>(word[i])];
      nodes_.push_back({id, i - 1, i + 1 < size ? i + 1 : none});
    }
    for (int64_t i = 0; i + 1 < size; i++) consider(i);
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      Node& left = nodes_[best.at];
      if (left.id != best.left || left.next == none || nodes_[left.next].id != best.right) continue;
      merge(best.at, best.result);
    }
    for (int64_t i = size > 0 ? 0 : none; i != none; i = nodes_[i].next)
      out.push_back(nodes_[i].id);
  }

 private:
  static constexpr int64_t none = -1;

  struct Node {
    int32_t id;  // none once the token has been merged into the one before it
    int64_t previous, next;
  };

  struct Candidate {
    int32_t rank;
    int64_t at;
    int32_t left, right, result;
    bool operator>(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };

  /// Queues the pair that begins at a node, if it was learnt.
  void consider(int64_t at) {
    const int32_t left = nodes_[at].id, right = nodes_[nodes_[at].next].id;
    if (const Rule* rule = tokenizer_.rules_.find(left, right)) {
      candidates_.push({rule->rank, at, left, right, rule->result});
    }
  }

  void merge(int64_t at, int32_t result) {
    Node& left = nodes_[at];
    Node& right = nodes_[left.next];
    left.id = result;
    left.next = right.next;
    right.id = none;
    if (left.next != none) {
      nodes_[left.next].previous = at;
      consider(at);
    }
    if (left.previous != none) consider(left.previous);
  }

  const BpeTokenizer& tokenizer_;
  std::vector<Node> nodes_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

BpeTokenizer::BpeTokenizer(std::vector<std::string> tokens, std::vector<Merge> merges,
                           SpecialToken eos, SpecialToken pad)
    : Tokenizer(std::move(tokens), std::move(eos), std::move(pad)), merges_(std::move(merges)) {
  byte_ids_.fill(-1);
  for (int32_t id = 0; id < vocab_size(); id++) {
    const std::string& bytes = token_bytes(id);
    if (bytes.size() == 1) byte_ids_[static_cast<uint8_t>(bytes[0])] = id;
  }
  for (int byte = 0; byte < 256; byte++) {
    check(byte_ids_[byte] >= 0, "tokenizer",
          "expected a token for each byte, got none for 0x{:02X}", byte);
  }
  for (size_t rank = 0; rank < merges_.size(); rank++) {
    const auto [left, right, result] = merges_[rank];
    // A special token's bytes are empty, so this also keeps merges from making one.
    check(!token_bytes(left).empty() && !token_bytes(right).empty() &&
              token_bytes(left) + token_bytes(right) == token_bytes(result),
          "tokenizer", "expected merge {} to join two tokens into their bytes, got {} + {} -> {}",
          rank, left, right, result);
    const size_t known = rules_.size();
    Rule& rule = rules_(left, right);
    check(rules_.size() > known, "tokenizer", "expected each pair once, got merge {} again", rank);
    rule = {static_cast<int32_t>(rank), result};
  }
}

BpeTokenizer BpeTokenizer::from_merges(std::vector<Merge> merges) {
  std::vector<std::string> tokens;
  for (const uint8_t byte : byte_order()) tokens.emplace_back(1, static_cast<char>(byte));
  for (const Merge& merge : merges) {
    check(merge.result == static_cast<int32_t>(tokens.size()) && merge.left < merge.result &&
              merge.right < merge.result && merge.left >= 0 && merge.right >= 0,
          "tokenizer", "expected merges of earlier tokens into the next id {}, got {} + {} -> {}",
          tokens.size(), merge.left, merge.right, merge.result);
    tokens.push_back(tokens[merge.left] + tokens[merge.right]);
  }
  const auto eos = static_cast<int32_t>(tokens.size());
  tokens.resize(tokens.size() + 2);
  return BpeTokenizer(std::move(tokens), std::move(merges), {std::string(default_eos_name), eos},
                      {std::string(default_pad_name), eos + 1});
}

std::vector<int32_t> BpeTokenizer::encode(std::string_view text) const {
  // Words repeat, and a word's ids depend on nothing else: each is merged once per text. The table
  // lives as long as the call, so encoding has no state to share between threads, and is bounded.
  constexpr size_t most_words = 1 << 16, longest_word = 64;
  struct Span {
    size_t begin, size;
  };
  std::unordered_map<std::string_view, Span> known;
  std::vector<int32_t> ids;
  WordEncoder encoder(*this);
  for_each_word(text, [&](std::string_view word) {
    const size_t begin = ids.size();
    if (const auto found = known.find(word); found != known.end()) {
      const Span span = found->second;
      ids.resize(begin + span.size);
      std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(span.begin), span.size,
                  ids.begin() + static_cast<std::ptrdiff_t>(begin));
      return;
    }
    encoder.encode(word, ids);
    if (word.size() > longest_word) return;
    if (known.size() == most_words) known.clear();
    known.emplace(word, Span{begin, ids.size() - begin});
  });
  return ids;
}

}  // namespace rlhf
