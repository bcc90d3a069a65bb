// Radix sort, 8 bits of the key at a time from the lowest (Knuth, The Art of Computer Programming,
// volume 3, section 5.2.5). Each block has a tile of neighbouring entries; first they are counted
// by digit, then moved to where the entries of smaller digits, earlier tiles, earlier warps and
// earlier lanes end.
#include "kernels/cuda/support/sort.h"

#include <utility>

#include "kernels/cuda/support/scan.h"

namespace rlhf::gpu {
namespace {

constexpr int digit_bits = 8, digits = 1 << digit_bits;
constexpr int threads = digits;  // a thread looks after a digit
constexpr int warps = threads / warp_size;
constexpr int rounds = 8;
constexpr int tile = threads * rounds;

__device__ int digit_of(const Entry& entry, int shift) { return entry.key >> shift & (digits - 1); }

/// counts: (tiles, digits)
__global__ void count_kernel(const Entry* entries, int64_t count, int shift, int32_t* counts) {
  __shared__ int of_digit[digits];
  const int64_t begin = int64_t(blockIdx.x) * tile + threadIdx.x;
  of_digit[threadIdx.x] = 0;
  __syncthreads();
  for (int round = 0; round < rounds; round++) {
    const int64_t i = begin + round * threads;
    if (i < count) atomicAdd(&of_digit[digit_of(entries[i], shift)], 1);
  }
  __syncthreads();
  counts[blockIdx.x * digits + threadIdx.x] = of_digit[threadIdx.x];
}

__global__ void move_kernel(Entry* to, const Entry* from, const int32_t* counts, int64_t count,
                            int shift) {
  __shared__ int next[warps][digits];  // where a warp's next entry of a digit goes
  const int digit = int(threadIdx.x);
  int all = 0, in_earlier_tiles = 0;
#pragma unroll 8
  for (unsigned t = 0; t < gridDim.x; t++) {
    const int here = counts[t * digits + digit];
    all += here;
    in_earlier_tiles += t < blockIdx.x ? here : 0;
  }
  int place = block_scan(all).before + in_earlier_tiles;

  const int64_t begin = int64_t(blockIdx.x) * tile + warp() * (tile / warps) + lane();
  int* const mine = next[warp()];
  for (int w = 0; w < warps; w++) next[w][digit] = 0;
  __syncthreads();
  for (int round = 0; round < rounds; round++) {
    const int64_t i = begin + round * warp_size;
    if (i < count) atomicAdd(&mine[digit_of(from[i], shift)], 1);
  }
  __syncthreads();
  for (int w = 0; w < warps; w++) {
    const int here = next[w][digit];
    next[w][digit] = place;
    place += here;
  }
  __syncthreads();

  for (int round = 0; round < rounds; round++) {
    const int64_t i = begin + round * warp_size;
    const bool inside = i < count;
    const Entry entry = inside ? from[i] : Entry{};
    const int d = inside ? digit_of(entry, shift) : digits;
    const unsigned same = __match_any_sync(full_mask, d);
    const int rank = __popc(same & ((1u << lane()) - 1));
    if (inside) to[mine[d] + rank] = entry;
    __syncwarp();
    if (inside && rank == 0) mine[d] += __popc(same);
    __syncwarp();
  }
}

__global__ void find_first_kernel(int32_t* first, const Entry* sorted, int64_t count,
                                  int64_t bound) {
  const int64_t key = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  int64_t low = 0, high = key <= bound ? count : 0;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (sorted[middle].key < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (key <= bound) first[key] = int32_t(low);
}

}  // namespace

int64_t sort_counts(int64_t count) { return int64_t(blocks_for(count, tile)) * digits; }

Entry* sort_by_key(Entry* entries, Entry* spare, int32_t* counts, int64_t count, int64_t bound,
                   Stream stream) {
  const unsigned tiles = blocks_for(count, tile);
  for (int shift = 0; count > 0 && bound > int64_t(1) << shift; shift += digit_bits) {
    launch({"sort_count", tiles, threads, stream}, count_kernel, entries, count, shift, counts);
    launch({"sort_move", tiles, threads, stream}, move_kernel, spare, entries, counts, count,
           shift);
    std::swap(entries, spare);
  }
  return entries;
}

void find_first(int32_t* first, const Entry* sorted, int64_t count, int64_t bound, Stream stream) {
  launch({"find_first", blocks_for(bound + 1, threads), threads, stream}, find_first_kernel, first,
         sorted, count, bound);
}

}  // namespace rlhf::gpu
