// The ids of the words that a thread has met lately. Words repeat and a word's ids depend on
// nothing else, so most of a text is looked up here and not merged. A fixed number of places, one
// cache line each; a new word takes the place of an old one, so nothing grows and nothing is
// allocated.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace rlhf {

class BpeWordCache {
 public:
  BpeWordCache() : entries_(std::make_unique<Entry[]>(places)) {}

  /// Appends the ids of a word to `out`: those that are noted for it under `owner` (a number of the
  /// tokenizer, not 0), or those that `merge` appends, which are noted.
  template <class Merge>
  void append(uint32_t owner, std::string_view word, std::vector<int32_t>& out, Merge&& merge) {
    if (word.size() > longest_word) return merge();
    Entry& entry = entries_[hash(word) % places];
    if (entry.owner == owner && entry.size == word.size() &&
        std::memcmp(entry.bytes.data(), word.data(), word.size()) == 0) {
      out.insert(out.end(), entry.ids.begin(), entry.ids.begin() + entry.count);
      return;
    }
    const size_t begin = out.size();
    merge();
    const size_t count = out.size() - begin;
    if (count > most_ids) return;
    entry.owner = owner;
    entry.size = static_cast<uint8_t>(word.size());
    entry.count = static_cast<uint8_t>(count);
    std::memcpy(entry.bytes.data(), word.data(), word.size());
    std::memcpy(entry.ids.data(), out.data() + begin, count * sizeof(int32_t));
  }

 private:
  static constexpr size_t places = 1 << 14, longest_word = 26, most_ids = 8;

  struct alignas(64) Entry {
    uint32_t owner = 0;
    uint8_t size = 0, count = 0;
    std::array<char, longest_word> bytes;
    std::array<int32_t, most_ids> ids;
  };
  static_assert(sizeof(Entry) == 64);

  template <class T>
  static uint64_t load(const char* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }

  static uint64_t hash(std::string_view word) {
    const char* data = word.data();
    const size_t size = word.size();
    uint64_t state = size;
    const auto mix = [&](uint64_t value) {
      state = (state ^ value) * 0x9E3779B97F4A7C15u;
      state ^= state >> 32;
    };
    // Loads that overlap cover any length without a loop over bytes.
    if (size >= 8) {
      for (size_t i = 0; i + 8 < size; i += 8) mix(load<uint64_t>(data + i));
      mix(load<uint64_t>(data + size - 8));
    } else if (size >= 4) {
      mix(load<uint32_t>(data) << 32 | load<uint32_t>(data + size - 4));
    } else if (size > 0) {
      mix(load<uint8_t>(data) << 16 | load<uint8_t>(data + size / 2) << 8 |
          load<uint8_t>(data + size - 1));
    }
    return state;
  }

  std::unique_ptr<Entry[]> entries_;
};

}  // namespace rlhf
