// The keys and values of tokens already seen, so that a new token costs one row instead of a
// prefix.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// Copies the new tokens' keys and values out of a packed qkv (B, T, 3C) into a cache of
/// (B, capacity, C) each: token t of sequence b lands in slot length[b] + t. `cache_row`, (B), says
/// in which of `cache_rows` rows of the cache sequence b lives, where that is not row b.
/// REQUIRES: length[b] + T <= capacity; 0 <= cache_row < cache_rows, and no two sequences in a row.
template <class T>
struct KvCacheAppend {
  T* keys;
  T* values;
  const T* qkv;
  const int32_t* length;  ///< (B) tokens of each sequence already in the cache
  int64_t B, T_new, C, capacity;
  const int32_t* cache_row = nullptr;
  int64_t cache_rows = 0;  ///< read with cache_row alone: there are B otherwise

  /// Where token t of sequence b lands, in elements.
  constexpr int64_t place(int64_t b, int64_t t) const {
    return ((cache_row ? cache_row[b] : b) * capacity + length[b] + t) * C;
  }

  void visit(auto&& v) const {
    v.in("qkv", qkv, B * T_new * 3 * C);
    const int64_t size = (cache_row ? cache_rows : B) * capacity * C;
    v.inout("keys", keys, size);
    v.inout("values", values, size);
    v.index("cache_row", cache_row, B, cache_rows);
  }
  double flops() const { return 0; }
};

template <class T>
void run(Cpu, const KvCacheAppend<T>&, Stream);
template <class T>
void run(Cuda, const KvCacheAppend<T>&, Stream);

}  // namespace rlhf
