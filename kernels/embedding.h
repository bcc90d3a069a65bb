// Token plus learned position embedding (Radford et al. 2019), the input of GPT-2's first block.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out (N, C) = token_table[token] + position_table[position]; tables are (V, C) and (P, C).
/// REQUIRES: 0 <= token < V, 0 <= position < P (checked above this layer, where data comes in).
template <class T>
struct EmbeddingForward {
  T* out;
  const T* token_table;
  const T* position_table;
  const int32_t* token;
  const int32_t* position;
  int64_t N, C, V, P;

  void visit(auto&& v) const {
    v.in("token_table", token_table, V * C);
    v.in("position_table", position_table, P * C);
    v.index("token", token, N, V);
    v.index("position", position, N, P);
    v.out("out", out, N * C);
  }
  double flops() const { return double(N * C); }
};

/// Each table's row receives the sum of d_out over the places that read it, in the order of the
/// rows (never by atomics: the sum's bits must not depend on threads).
template <class T>
struct EmbeddingBackward {
  GradientOut<Accumulator<T>> d_token_table;
  GradientOut<Accumulator<T>> d_position_table;
  const T* d_out;
  const int32_t* token;
  const int32_t* position;
  int64_t N, C, V, P;

  void visit(auto&& v) const {
    v.in("d_out", d_out, N * C);
    v.index("token", token, N, V);
    v.index("position", position, N, P);
    v.out("d_token_table", d_token_table.data, V * C, d_token_table.accumulate);
    v.out("d_position_table", d_position_table.data, P * C, d_position_table.accumulate);
  }
  double flops() const { return 2.0 * double(N * C); }
};

template <class T>
void run(Cpu, const EmbeddingForward<T>&, Stream);
template <class T>
void run(Cuda, const EmbeddingForward<T>&, Stream);
template <class T>
void run(Cpu, const EmbeddingBackward<T>&, Stream);
template <class T>
void run(Cuda, const EmbeddingBackward<T>&, Stream);

}  // namespace rlhf
