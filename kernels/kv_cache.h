// The keys and values of tokens already seen, so that a new token costs one row instead of a
// prefix.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// Copies the new tokens' keys and values out of a packed qkv (B, T, 3C) into a cache of
/// (B, capacity, C) each: token t of sequence b lands in slot length[b] + t.
/// REQUIRES: length[b] + T <= capacity.
template <class T>
struct KvCacheAppend {
  T* keys;
  T* values;
  const T* qkv;
  const int32_t* length;  ///< (B) tokens of each sequence already in the cache
  int64_t B, T_new, C, capacity;

  void visit(auto&& v) const {
    v.in("qkv", qkv, B * T_new * 3 * C);
    v.inout("keys", keys, B * capacity * C);
    v.inout("values", values, B * capacity * C);
  }
  double flops() const { return 0; }
};

template <class T>
void run(Cpu, const KvCacheAppend<T>&, Stream);
template <class T>
void run(Cuda, const KvCacheAppend<T>&, Stream);

}  // namespace rlhf
