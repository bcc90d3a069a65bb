// Dropout of attention weights, four at a time: neighbouring keys share a Philox call's words, and
// a lane's four elements of a fragment lie in different quadruples, so lanes trade what they drew.
#pragma once

#include "kernels/attention.h"
#include "kernels/cuda/support/attention_operand.h"
#include "kernels/philox.h"

namespace rlhf::gpu {

/// Of one head. Bit v of a result: whether the lane's element v of a fragment stays.
class WeightDropout {
 public:
  __device__ WeightDropout(const RandomSite& site, float probability, const AttentionLayout& l,
                           int64_t b, int64_t h)
      : seed_(site.state->seed),
        draw_(site.state->draw),
        stream_(site.stream),
        site_(site.site),
        probability_(probability),
        keys_(l.Tk),
        head_(uint64_t((b * l.H + h) * l.Tq) * uint64_t(l.Tk)),
        quadruples_(l.Tk % 4 == 0) {}

  /// What remains is multiplied by this.
  __device__ float keep_factor() const { return 1 / (1 - probability_); }

  /// Rows are queries from `query` on, columns keys from `key` on.
  /// REQUIRES: key % 4 == 0.
  __device__ unsigned by_queries(int query, int key) const {
    if (!quadruples_) return each(query, key, false);
    // Lanes t and t ^ 1 share two quadruples, those of rows g and g + 8.
    const int half = lane() % 2;
    const unsigned mine = quadruple(query + lane() / 4 + half * 8, key + lane() % 4 / 2 * 4);
    const unsigned other = __shfl_xor_sync(full_mask, mine, 1);
    const unsigned upper = half == 0 ? mine : other, lower = half == 0 ? other : mine;
    return (upper >> half * 2 & 3) | (lower >> half * 2 & 3) << 2;
  }

  /// Rows are keys from `key` on, columns queries from `query` on.
  /// REQUIRES: key % 4 == 0.
  __device__ unsigned by_keys(int key, int query) const {
    if (!quadruples_) return each(key, query, true);
    // The lanes of four neighbouring groups share four quadruples, one for each element.
    const int group = lane() / 4, mine = group % 4;
    unsigned drawn = quadruple(query + fragment_column(mine),
                               key + group / 4 * 4 + fragment_row(mine) - lane() / 4)
                     << 4 * mine;
    drawn |= __shfl_xor_sync(full_mask, drawn, 4);
    drawn |= __shfl_xor_sync(full_mask, drawn, 8);
    unsigned bits = 0;
    for (int v = 0; v < 4; v++) bits |= (drawn >> (4 * v + mine) & 1) << v;
    return bits;
  }

 private:
  __device__ uint64_t index(int query, int key) const {
    return head_ + uint64_t(query) * uint64_t(keys_) + uint64_t(key);
  }
  __device__ bool stays(uint32_t word) const { return unit_float(word) >= probability_; }
  /// Bits of the four keys from `key` on.
  __device__ unsigned quadruple(int query, int key) const {
    const PhiloxWords words = random_words(seed_, stream_, site_, draw_, index(query, key) >> 2);
    unsigned bits = 0;
    for (int i = 0; i < 4; i++) bits |= unsigned(stays(words[size_t(i)])) << i;
    return bits;
  }
  __device__ unsigned each(int row, int column, bool transposed) const {
    unsigned bits = 0;
#pragma unroll 1
    for (int v = 0; v < 4; v++) {
      const int r = row + fragment_row(v), c = column + fragment_column(v);
      const uint64_t at = transposed ? index(c, r) : index(r, c);
      const PhiloxWords words = random_words(seed_, stream_, site_, draw_, at >> 2);
      // Chosen without an index: that would put the words into local memory.
      const uint32_t low = at & 1 ? words[1] : words[0], high = at & 1 ? words[3] : words[2];
      bits |= unsigned(stays(at & 2 ? high : low)) << v;
    }
    return bits;
  }

  uint64_t seed_, draw_;
  RandomStream stream_;
  uint32_t site_;
  float probability_;
  int64_t keys_;
  uint64_t head_;
  bool quadruples_;
};

}  // namespace rlhf::gpu
