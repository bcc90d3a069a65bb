#include "data/token_stream.h"

#include <algorithm>
#include <utility>

namespace rlhf {
namespace {

template <class Id>
void copy_ids(const void* ids, int64_t first, int64_t count, int32_t* out) {
  const Id* from = static_cast<const Id*>(ids) + first;
  std::transform(from, from + count, out, [](Id id) { return static_cast<int32_t>(id); });
}

}  // namespace

TokenStream::TokenStream(std::vector<int32_t> ids) {
  auto owner = std::make_shared<const std::vector<int32_t>>(std::move(ids));
  append(owner, owner->data(), 4, static_cast<int64_t>(owner->size()));
}

void TokenStream::append(std::shared_ptr<const void> owner, std::span<const uint16_t> ids) {
  append(std::move(owner), ids.data(), 2, static_cast<int64_t>(ids.size()));
}

void TokenStream::append(std::shared_ptr<const void> owner, std::span<const uint32_t> ids) {
  append(std::move(owner), ids.data(), 4, static_cast<int64_t>(ids.size()));
}

void TokenStream::append(const TokenStream& other) {
  const std::vector<Segment> added = other.segments_;  // `other` may be this one
  for (const Segment& s : added) append(s.owner, s.ids, s.bytes, s.count);
}

void TokenStream::append(std::shared_ptr<const void> owner, const void* ids, int bytes,
                         int64_t count) {
  if (count == 0) return;
  segments_.push_back({std::move(owner), ids, bytes, size_, count});
  size_ += count;
}

template <class Visit>
void TokenStream::for_each_piece(int64_t begin, int64_t count, Visit&& visit) const {
  if (count == 0) return;
  auto segment = std::upper_bound(segments_.begin(), segments_.end(), begin,
                                  [](int64_t place, const Segment& s) { return place < s.start; });
  for (--segment; count > 0; ++segment) {
    const int64_t first = begin - segment->start;
    const int64_t taken = std::min(count, segment->count - first);
    visit(*segment, first, taken);
    begin += taken;
    count -= taken;
  }
}

std::vector<int32_t> TokenStream::copy(int64_t begin, int64_t count) const {
  std::vector<int32_t> out(static_cast<size_t>(count));
  int32_t* to = out.data();
  for_each_piece(begin, count, [&](const Segment& s, int64_t first, int64_t taken) {
    if (s.bytes == 2) {
      copy_ids<uint16_t>(s.ids, first, taken, to);
    } else {
      copy_ids<uint32_t>(s.ids, first, taken, to);
    }
    to += taken;
  });
  return out;
}

TokenStream TokenStream::part(int64_t begin, int64_t count) const {
  TokenStream out;
  for_each_piece(begin, count, [&](const Segment& s, int64_t first, int64_t taken) {
    out.append(s.owner, static_cast<const char*>(s.ids) + first * s.bytes, s.bytes, taken);
  });
  return out;
}

}  // namespace rlhf
