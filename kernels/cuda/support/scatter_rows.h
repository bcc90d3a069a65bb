// Adding rows to the rows of tables, several of which may go to the same one: gradients of
// embeddings and of gathered rows. The rows are sorted by where they go, so that every sum has one
// order. A destination of many rows (padding is one token) is summed in segments of the sorted rows
// by many blocks, and then the segments in their order.
#pragma once

#include "kernels/cuda/support/columns.h"
#include "kernels/cuda/support/sort.h"
#include "kernels/cuda/support/workspace.h"

namespace rlhf::gpu {

/// to[t][place[t][n]] (+)= from[n] for n in [0, N) and every table t; table t is (rows[t], C). Rows
/// where nothing goes become 0, or stay when accumulating.
template <class T, class Out, int tables>
struct ScatterRows {
  GradientOut<Out> to[tables];
  const int32_t* place[tables];
  int64_t rows[tables];
  const T* from;
  int64_t N, C;
};

/// Where a row of all tables, one below the other, lies.
template <class Out>
struct Destination {
  Out* data;  ///< null: nobody wants it
  bool accumulate;
};
template <class T, class Out, int tables>
__device__ inline Destination<Out> destination(const ScatterRows<T, Out, tables>& s, int64_t row) {
#pragma unroll
  for (int t = 0; t < tables - 1; t++) {
    if (row < s.rows[t]) {
      return {s.to[t] ? s.to[t].data + row * s.C : nullptr, s.to[t].accumulate};
    }
    row -= s.rows[t];
  }
  const GradientOut<Out>& last = s.to[tables - 1];
  return {last ? last.data + row * s.C : nullptr, last.accumulate};
}

template <class T, class Out, int tables>
__global__ void list_kernel(ScatterRows<T, Out, tables> s, Entry* entries) {
  const int64_t n = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (n < s.N) {
    int64_t above = 0;
#pragma unroll
    for (int t = 0; t < tables; t++) {
      entries[t * s.N + n] = {int32_t(above + s.place[t][n]), int32_t(n)};
      above += s.rows[t];
    }
  }
}

inline constexpr int64_t segment = 128;

template <int n, class T>
__device__ inline void add_to(Values<n>& sum, const T* from) {
  const Values<n> x = load<n>(from);
#pragma unroll
  for (int i = 0; i < n; i++) sum[i] += x[i];
}

/// Sorted entries [begin, end), one row of `from` each.
template <int n, class T>
__device__ inline Values<n> sum_of_rows(const T* from, int64_t C, const Entry* sorted,
                                        int64_t begin, int64_t end) {
  Values<n> sum = {};
#pragma unroll 4
  for (int64_t i = begin; i < end; i++) add_to(sum, from + sorted[i].index * C);
  return sum;
}

/// A block sums what its segment has of destinations with more rows than a segment. Two at most
/// reach into it, at its head and at its tail: `partial` is (segments, 2, C).
template <class T, class Out, int tables, int n>
__global__ void segment_kernel(ScatterRows<T, Out, tables> s, const Entry* sorted,
                               const int32_t* first, float* partial) {
  const int64_t all = tables * s.N, begin = blockIdx.x * segment;
  const int64_t end = begin + segment < all ? begin + segment : all;
  const int32_t head = sorted[begin].key, tail = sorted[end - 1].key;
  for (int side = 0; side < (head == tail ? 1 : 2); side++) {
    const int32_t row = side == 0 ? head : tail;
    const int64_t from = first[row], to = first[row + 1];
    if (to - from <= segment || !destination(s, row).data) continue;
    for_columns<n, 0>(s.C, [&](int, int64_t at) {
      const Values<n> sum = sum_of_rows<n>(s.from + at, s.C, sorted, from > begin ? from : begin,
                                           to < end ? to : end);
      store(partial + (blockIdx.x * 2 + side) * s.C + at, sum);
    });
  }
}

template <class T, class Out, int tables, int n>
__global__ void scatter_kernel(ScatterRows<T, Out, tables> s, int64_t rows, const Entry* sorted,
                               const int32_t* first, const float* partial) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const int64_t begin = first[row], end = first[row + 1];
    const Destination<Out> to = destination(s, row);
    if (!to.data || (to.accumulate && begin == end)) continue;
    for_columns<n, 0>(s.C, [&](int, int64_t at) {
      Values<n> sum = {};
      if (end - begin <= segment) {
        sum = sum_of_rows<n>(s.from + at, s.C, sorted, begin, end);
      } else {
#pragma unroll 8
        for (int64_t part = begin / segment; part * segment < end; part++) {
          const int side = part * segment < begin ? 1 : 0;
          add_to(sum, partial + (part * 2 + side) * s.C + at);
        }
      }
      put(to.data + at, to.accumulate, sum);
    });
  }
}

template <class T, class Out, int tables>
void scatter_rows(const ScatterRows<T, Out, tables>& s, Stream stream) {
  int64_t rows = 0;
  for (int t = 0; t < tables; t++) rows += s.rows[t];
  const int64_t count = tables * s.N;
  const int64_t segments = (count + segment - 1) / segment;
  Workspace work;
  const auto entries = work.part<Entry>(count), spare = work.part<Entry>(count);
  const auto counts = work.part<int32_t>(sort_counts(count)), first = work.part<int32_t>(rows + 1);
  const auto partial = work.part<float>(segments * 2 * s.C);
  work.allocate(stream);

  constexpr int64_t most_blocks = 1 << 12;
  if (s.N > 0) {
    launch({"scatter_list", blocks_for(s.N, 256), 256, stream}, list_kernel<T, Out, tables>, s,
           work[entries]);
  }
  const Entry* const sorted =
      sort_by_key(work[entries], work[spare], work[counts], count, rows, stream);
  find_first(work[first], sorted, count, rows, stream);
  const auto go = [&](auto n) {
    const unsigned threads = threads_for_columns(s.C, n, 256);
    if (segments > 1) {
      launch({"scatter_segments", unsigned(segments), threads, stream},
             segment_kernel<T, Out, tables, n>, s, sorted, work[first], work[partial]);
    }
    launch({"scatter_rows", unsigned(std::min(rows, most_blocks)), threads, stream},
           scatter_kernel<T, Out, tables, n>, s, rows, sorted, work[first], work[partial]);
  };
  constexpr int width = pack_width<T, Out>;
  if constexpr (tables == 1) {
    with_width<width>(s.C, go, s.from, s.to[0].data);
  } else {
    static_assert(tables == 2);
    with_width<width>(s.C, go, s.from, s.to[0].data, s.to[1].data);
  }
}

}  // namespace rlhf::gpu
