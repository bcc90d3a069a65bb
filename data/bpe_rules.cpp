#include "data/bpe_rules.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>

namespace rlhf {
namespace {

constexpr int32_t no_rank = std::numeric_limits<int32_t>::max();

// Below this a scan for the least rank beats a heap: it takes 16 ranks at a time, and its O(n^2) is
// small.
constexpr size_t longest_short_word = 128;

}  // namespace

BpeRules::BpeRules(const std::array<int32_t, 256>& byte_ids, const std::vector<Merge>& merges)
    : byte_ids_(byte_ids) {
  for (size_t rank = 0; rank < merges.size(); rank++) {
    const auto [left, right, result] = merges[rank];
    rules_(left, right) = {static_cast<int32_t>(rank), result};
  }
}

BpeRules::Rule BpeRules::rule(int32_t left, int32_t right) const {
  const Rule* found = rules_.find(left, right);
  return found == nullptr ? Rule{no_rank, 0} : *found;
}

void BpeRules::encode_short(std::string_view word, std::vector<int32_t>& out) const {
  std::array<int32_t, longest_short_word> ids, ranks, results;  // ranks[i]: of the pair i, i + 1
  size_t size = word.size();
  for (size_t i = 0; i < size; i++) ids[i] = byte_ids_[static_cast<uint8_t>(word[i])];
  const auto look_up = [&](size_t at) {
    const Rule found = rule(ids[at], ids[at + 1]);
    ranks[at] = found.rank;
    results[at] = found.result;
  };
  for (size_t i = 0; i + 1 < size; i++) look_up(i);
  while (size > 1) {
    int32_t least = no_rank;
    for (size_t i = 0; i + 1 < size; i++) least = std::min(least, ranks[i]);
    if (least == no_rank) break;
    const auto at = static_cast<size_t>(std::find(ranks.begin(), ranks.begin() + size - 1, least) -
                                        ranks.begin());
    ids[at] = results[at];
    std::copy(ids.begin() + at + 2, ids.begin() + size, ids.begin() + at + 1);
    std::copy(ranks.begin() + at + 1, ranks.begin() + size - 1, ranks.begin() + at);
    std::copy(results.begin() + at + 1, results.begin() + size - 1, results.begin() + at);
    size--;
    if (at > 0) look_up(at - 1);
    if (at + 1 < size) look_up(at);
  }
  out.insert(out.end(), ids.begin(), ids.begin() + size);
}

/// A linked list of the tokens and a heap of the pairs that can merge.
class BpeRules::LongWord {
 public:
  explicit LongWord(const BpeRules& rules) : rules_(rules) {}

  void encode(std::string_view word, std::vector<int32_t>& out) {
    const auto size = static_cast<int64_t>(word.size());
    nodes_.reserve(word.size());
    for (int64_t i = 0; i < size; i++) {
      const int32_t id = rules_.byte_ids_[static_cast<uint8_t>(word[i])];
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
    for (int64_t i = 0; i != none; i = nodes_[i].next) out.push_back(nodes_[i].id);
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
    const Rule found = rules_.rule(left, right);
    if (found.rank != no_rank) candidates_.push({found.rank, at, left, right, found.result});
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

  const BpeRules& rules_;
  std::vector<Node> nodes_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

void BpeRules::encode_word(std::string_view word, std::vector<int32_t>& out) const {
  if (word.size() <= longest_short_word) return encode_short(word, out);
  LongWord(*this).encode(word, out);
}

}  // namespace rlhf
