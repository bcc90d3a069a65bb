// A long sequence of token ids, wherever it lies: in memory, or in mapped files of 16 or 32 bits a
// token. Training draws windows from it, so that a corpus larger than memory needs no more of it
// than the windows of a step.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace rlhf {

class TokenStream {
 public:
  TokenStream() = default;
  TokenStream(std::vector<int32_t> ids);
  TokenStream(std::span<const int32_t> ids)
      : TokenStream(std::vector<int32_t>(ids.begin(), ids.end())) {}

  /// Adds ids behind the last one; `owner` keeps them alive. REQUIRES: 32-bit ids below 2^31.
  void append(std::shared_ptr<const void> owner, std::span<const uint16_t> ids);
  void append(std::shared_ptr<const void> owner, std::span<const uint32_t> ids);
  void append(const TokenStream& other);

  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// A copy of `count` ids from `begin` on. REQUIRES: 0 <= begin, 0 <= count, both within size().
  std::vector<int32_t> copy(int64_t begin, int64_t count) const;

  /// The same ids as a stream of their own, not copied. REQUIRES: as for copy.
  TokenStream part(int64_t begin, int64_t count) const;

 private:
  // Ids of one width that lie side by side; `start` is the place of the first in the stream.
  struct Segment {
    std::shared_ptr<const void> owner;
    const void* ids;
    int bytes;  // an id: 2 or 4
    int64_t start, count;
  };

  void append(std::shared_ptr<const void> owner, const void* ids, int bytes, int64_t count);
  /// Calls visit(segment, first, count) for the pieces that ids [begin, begin + count) lie in.
  template <class Visit>
  void for_each_piece(int64_t begin, int64_t count, Visit&& visit) const;

  std::vector<Segment> segments_;
  int64_t size_ = 0;
};

}  // namespace rlhf
