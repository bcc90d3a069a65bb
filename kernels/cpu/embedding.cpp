// Embeddings on the CPU. Backward, threads own ranges of columns: each sees every row of d_out in
// order, so no two write the same element and no sum depends on their number.
#include "kernels/embedding.h"

#include <algorithm>

#include "kernels/cpu/support/parallel.h"

namespace rlhf {
namespace {

template <class T>
void scatter(const GradientOut<Accumulator<T>>& table, int64_t table_rows,
             const EmbeddingBackward<T>& e, const int32_t* row, int64_t begin, int64_t end) {
  if (!table) return;
  if (!table.accumulate) {
    for (int64_t r = 0; r < table_rows; r++) {
      std::fill(table.data + r * e.C + begin, table.data + r * e.C + end, Accumulator<T>(0));
    }
  }
  for (int64_t n = 0; n < e.N; n++) {
    Accumulator<T>* to = table.data + row[n] * e.C;
    const T* from = e.d_out + n * e.C;
    for (int64_t c = begin; c < end; c++) to[c] += from[c];
  }
}

}  // namespace

template <class T>
void run(Cpu, const EmbeddingForward<T>& e, Stream) {
  cpu::parallel_for(e.N, e.flops(), [&](int64_t n) {
    const T* token = e.token_table + e.token[n] * e.C;
    const T* position = e.position_table + e.position[n] * e.C;
    T* out = e.out + n * e.C;
    for (int64_t c = 0; c < e.C; c++) out[c] = token[c] + position[c];
  });
}

template <class T>
void run(Cpu, const EmbeddingBackward<T>& e, Stream) {
  const double work = double((e.N + e.V + e.P) * e.C);
  cpu::parallel_ranges(e.C, 16, work, [&](int64_t begin, int64_t end) {
    scatter(e.d_token_table, e.V, e, e.token, begin, end);
    scatter(e.d_position_table, e.P, e, e.position, begin, end);
  });
}

template void run(Cpu, const EmbeddingForward<float>&, Stream);
template void run(Cpu, const EmbeddingForward<double>&, Stream);
template void run(Cpu, const EmbeddingBackward<float>&, Stream);
template void run(Cpu, const EmbeddingBackward<double>&, Stream);

}  // namespace rlhf
