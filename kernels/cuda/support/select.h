// Choosing from a row without sorting it: the entries of the largest keys that together reach a
// goal, by a radix descent over the bits of the keys, and the entry at which a cumulative sum
// passes a point. Amounts are integers, so that no result depends on the order of additions.
#pragma once

#include "kernels/cuda/support/scan.h"

namespace rlhf::gpu {

/// Some numbers below `count` in ascending order: all of them, until a list is made.
struct Pool {
  int32_t* list;  ///< room for `count` numbers
  int32_t count;
  bool listed = false;

  __device__ int32_t operator[](int32_t i) const { return listed ? list[i] : i; }
};

/// Bits of a float, ordered as the floats are; equals have the same bits. REQUIRES: no NaN.
__device__ inline uint32_t ordered_bits(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x + 0.0f);  // the sum makes +0 of -0
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}
__device__ inline float from_ordered_bits(uint32_t bits) {
  return std::bit_cast<float>(bits >> 31 ? bits & 0x7fffffffu : ~bits);
}

/// 64-bit sums for 11 bits of a key, added to by any thread. Two halves with a carry are native
/// instructions of shared memory, and 64 bits are not.
struct Histogram {
  static constexpr int bits = 11, bins = 1 << bits;
  uint32_t low[bins], high[bins];

  __device__ void clear() {
    for (int bin = int(threadIdx.x); bin < bins; bin += int(blockDim.x)) low[bin] = high[bin] = 0;
    __syncthreads();
  }
  __device__ void add(uint32_t bin, uint64_t amount) {
    const auto part = uint32_t(amount);
    const uint32_t carry = uint32_t(atomicAdd(&low[bin], part) + part) < part;
    const uint32_t rest = uint32_t(amount >> 32) + carry;
    if (rest > 0) atomicAdd(&high[bin], rest);
  }
  __device__ uint64_t operator[](int bin) const { return uint64_t(high[bin]) << 32 | low[bin]; }
};

/// Where the sum over bins from the last one down reaches a goal.
struct Reached {
  uint32_t bin;
  uint64_t above;  ///< the sum over the bins past it
};

/// goal_of(sum over all bins) is the goal; it is 0, and so is the result's bin, when all are empty.
/// REQUIRES: 1 <= goal <= sum; a power of two of threads.
template <class Goal>
__device__ inline Reached reach(const Histogram& histogram, const Goal& goal_of, uint64_t* goal) {
  __shared__ Reached reached;
  const int share = Histogram::bins / int(blockDim.x);
  const int last = Histogram::bins - 1 - int(threadIdx.x) * share;
  uint64_t own = 0;
  for (int i = 0; i < share; i++) own += histogram[last - i];
  const Scan<uint64_t> scan = block_scan(own);
  *goal = scan.total > 0 ? goal_of(scan.total) : 0;
  if (threadIdx.x == 0 && *goal == 0) reached = {0, 0};
  if (scan.before < *goal && *goal <= scan.before + own) {
    uint64_t above = scan.before;
    int bin = last;
    while (above + histogram[bin] < *goal) above += histogram[bin--];
    reached = {uint32_t(bin), above};
  }
  __syncthreads();
  const Reached result = reached;
  __syncthreads();
  return result;
}

/// What one look at an entry says.
enum class Verdict { drop, keep, tie };

/// How many neighbouring entries a thread takes at a time where order matters.
inline constexpr int neighbours = 8;

/// Keeps the entries that verdict_of() keeps, and of the ties the first whose amounts reach `goal`.
template <class VerdictOf, class Amount>
__device__ inline void narrow(Pool& pool, const VerdictOf& verdict_of, const Amount& amount,
                              uint64_t goal) {
  int32_t kept = 0;
  uint64_t tied = 0;
  for (int32_t tile = 0; tile < pool.count; tile += neighbours * int32_t(blockDim.x)) {
    int32_t entry[neighbours];
    Verdict verdict[neighbours];
    uint64_t own_ties = 0;
#pragma unroll
    for (int j = 0; j < neighbours; j++) {
      const int32_t i = tile + int32_t(threadIdx.x) * neighbours + j;
      entry[j] = i < pool.count ? pool[i] : 0;
      verdict[j] = i < pool.count ? verdict_of(entry[j]) : Verdict::drop;
      if (verdict[j] == Verdict::tie) own_ties += amount(entry[j]);
    }
    const Scan<uint64_t> ties = block_scan(own_ties);
    uint64_t before = tied + ties.before;
    int32_t own = 0;
#pragma unroll
    for (int j = 0; j < neighbours; j++) {
      if (verdict[j] == Verdict::tie) {
        verdict[j] = before < goal ? Verdict::keep : Verdict::drop;
        before += amount(entry[j]);
      }
      own += verdict[j] == Verdict::keep;
    }
    const Scan<int32_t> scan = block_scan(own);
    int32_t place = kept + scan.before;  // at or before what this tile has read
#pragma unroll
    for (int j = 0; j < neighbours; j++) {
      if (verdict[j] == Verdict::keep) pool.list[place++] = entry[j];
    }
    kept += scan.total;
    tied += ties.total;
  }
  __syncthreads();
  pool.count = kept;
  pool.listed = true;
}

/// Keeps the entries of the largest keys, and of equal keys those that come first: as few as have
/// amounts that add up to goal_of(sum of all amounts). All stay when every amount is 0.
/// REQUIRES: equal keys have equal amounts; 1 <= goal <= sum; a power of two of threads.
template <class Key, class Amount, class Goal>
__device__ inline void keep_largest(Pool& pool, Histogram& histogram, const Key& key,
                                    const Amount& amount, const Goal& goal_of) {
  uint32_t prefix = 0;
  uint64_t goal = 0;
  int shift = 32;
  for (int level = 0; level < 3; level++) {
    const int above = shift;
    shift = shift > Histogram::bits ? shift - Histogram::bits : 0;
    const uint32_t mask = (1u << (above - shift)) - 1;
    histogram.clear();
    for (int32_t i = int32_t(threadIdx.x); i < pool.count; i += int32_t(blockDim.x)) {
      const int32_t entry = pool[i];
      const uint32_t bits = key(entry);
      if (level == 0 || bits >> above == prefix) {
        histogram.add(bits >> shift & mask, amount(entry));
      }
    }
    __syncthreads();
    const uint64_t left = goal;
    const Reached reached = reach(
        histogram, [&](uint64_t sum) { return level == 0 ? goal_of(sum) : left; }, &goal);
    if (goal == 0) return;
    prefix = level == 0 ? reached.bin : prefix << (above - shift) | reached.bin;
    goal -= reached.above;
    const bool exact = shift == 0;
    narrow(
        pool,
        [&](int32_t entry) {
          const uint32_t bits = key(entry) >> shift;
          return bits < prefix             ? Verdict::drop
                 : exact && bits == prefix ? Verdict::tie
                                           : Verdict::keep;
        },
        amount, goal);
  }
}

/// The first of entry_at(0), ..., entry_at(count - 1) at which the cumulative amount exceeds u of
/// the sum; the very first when every amount is 0. REQUIRES: count >= 1, 0 <= u < 1.
template <class EntryAt, class Amount>
__device__ inline int32_t invert(int32_t count, const EntryAt& entry_at, const Amount& amount,
                                 double u) {
  __shared__ int32_t chosen;
  uint64_t own = 0;
  for (int32_t i = int32_t(threadIdx.x); i < count; i += int32_t(blockDim.x)) {
    own += amount(entry_at(i));
  }
  const uint64_t sum = block_sum(own);
  if (sum == 0) return entry_at(0);
  const auto wanted = uint64_t(u * double(sum));
  const uint64_t point = wanted < sum ? wanted : sum - 1;
  uint64_t passed = 0;
  for (int32_t tile = 0; passed <= point; tile += neighbours * int32_t(blockDim.x)) {
    const int32_t first = tile + int32_t(threadIdx.x) * neighbours;
    uint64_t amounts[neighbours], own_sum = 0;
#pragma unroll
    for (int j = 0; j < neighbours; j++) {
      amounts[j] = first + j < count ? amount(entry_at(first + j)) : 0;
      own_sum += amounts[j];
    }
    const Scan<uint64_t> scan = block_scan(own_sum);
    uint64_t reached = passed + scan.before;
#pragma unroll
    for (int j = 0; j < neighbours; j++) {
      if (reached <= point && point < reached + amounts[j]) chosen = entry_at(first + j);
      reached += amounts[j];
    }
    passed += scan.total;
  }
  __syncthreads();
  const int32_t result = chosen;
  __syncthreads();
  return result;
}

}  // namespace rlhf::gpu
