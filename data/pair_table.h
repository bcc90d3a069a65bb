// A hash table from pairs of token ids to values: open addressing with linear probing over one flat
// array. Encoding looks up a pair per byte of text, so this table is its inner loop; a node-based
// std::unordered_map costs several cache misses where this one costs one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace rlhf {

template <class Value>
class PairTable {
 public:
  PairTable() : slots_(16) {}

  size_t size() const { return size_; }

  /// The value of a pair, or null.
  const Value* find(int32_t left, int32_t right) const {
    const Slot& slot = slots_[locate(pack(left, right))];
    return slot.key == empty ? nullptr : &slot.value;
  }

  /// The value of a pair, value-initialised at its first use. Valid until the next new pair.
  Value& operator()(int32_t left, int32_t right) {
    const uint64_t key = pack(left, right);
    size_t at = locate(key);
    if (slots_[at].key == empty) {
      if (2 * ++size_ > slots_.size()) {
        grow();
        at = locate(key);
      }
      slots_[at].key = key;
    }
    return slots_[at].value;
  }

  /// Calls visit(left, right, value) for each pair, in no particular order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.key != empty) visit(int32_t(slot.key >> 32), int32_t(slot.key), slot.value);
    }
  }

 private:
  static constexpr uint64_t empty = ~uint64_t{0};  // no pair: ids are not negative

  struct Slot {
    uint64_t key = empty;
    Value value{};
  };

  static uint64_t pack(int32_t left, int32_t right) {
    return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
  }

  /// The slot that holds the key, or the empty one where it belongs.
  size_t locate(uint64_t key) const {
    uint64_t hash = key * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at].key != key && slots_[at].key != empty) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.key != empty) slots_[locate(slot.key)] = std::move(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most half full
  size_t size_ = 0;
};

}  // namespace rlhf
