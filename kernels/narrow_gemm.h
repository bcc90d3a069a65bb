// Products with weights that nobody trains, kept in fewer bits than they are multiplied in: bf16,
// or int8 with a scale an output ("W8A16", as in Dettmers et al. 2022, arXiv:2208.07339,
// section 2.1, without its outliers). One sequence is decoded as fast as its weights are read, so
// that half of the bytes are twice the speed. What comes in, goes out and is summed stays in
// floats.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// A matrix (K, N) lies in panels of so many columns, each panel by rows of k and the last one
/// filled up with zeros. Whoever computes a panel reads one stream from its first byte to its last,
/// and the next panel goes on where it ends.
inline constexpr int64_t narrow_panel = 64;

constexpr int64_t narrow_panels(int64_t N) { return (N + narrow_panel - 1) / narrow_panel; }
constexpr int64_t narrow_count(int64_t K, int64_t N) { return narrow_panels(N) * narrow_panel * K; }

/// Where element (k, n) lies. A 32-bit word holds 4 columns of int8, each 16 behind the last, or 2
/// of bf16, 32 apart, the first in its lowest bits: shifts of a vector of words are vectors of
/// neighbouring columns.
///
/// The word of int8 codes c is the number c0 + 2^8 c1 + 2^16 c2 + 2^24 c3. Shifted left until code
/// s is on top it is 2^24 (c_s + c_{s-1} / 2^8 + ...), and so are the sums of products with it:
/// instead of taking the lower codes out of every word, they are taken out of the sums, once.
template <class W>
constexpr int64_t narrow_place(int64_t K, int64_t k, int64_t n) {
  constexpr int64_t parts = 4 / sizeof(W), apart = narrow_panel / parts;
  const int64_t panel = n / narrow_panel, column = n % narrow_panel;
  return (panel * K + k) * narrow_panel + column % apart * parts + column / apart;
}

/// Element (k, n) itself.
template <class W>
constexpr float narrow_value(const W* b, int64_t K, int64_t k, int64_t n) {
  const int64_t place = narrow_place<W>(K, k, n);
  if constexpr (sizeof(W) > 1) {
    return float(b[place]);
  } else {
    const W* const bytes = b + place / 4 * 4;
    uint32_t word = 0;
    for (int s = 0; s < 4; s++) word |= uint32_t(uint8_t(bytes[s])) << 8 * s;
    // 128 to each code: none of them borrows from the next any more.
    return float(int((word + 0x80808080u) >> 8 * (place % 4) & 0xff) - 128);
  }
}

/// out (M, N) = gelu?(scale (N) * (a (M, K) . b (K, N)) + bias (N))
///
/// W is the type of b: bf16, whose scale is 1, or int8_t. gelu is that of kernels/gelu.h.
///
/// An element is summed over k in one fixed order from 0, and then scaled: on either device a row
/// does not depend on how many rows are computed with it nor on threads. With bf16 and no bias it
/// has, on the CPU, the bits of Gemm with the same weights in T.
///
/// REQUIRES: a scale with int8, none with bf16.
template <class T, class W>
struct NarrowGemm {
  T* out;
  const T* a;
  const W* b;                    ///< narrow_count(K, N) elements
  const float* scale = nullptr;  ///< of int8 alone
  const T* bias = nullptr;       ///< null: none
  bool gelu = false;
  int64_t M, N, K;

  void visit(auto&& v) const {
    v.in("a", a, M * K);
    v.record("b", b, narrow_count(K, N));
    v.in("scale", scale, N);
    v.in("bias", bias, N);
    v.out("out", out, M * N);
  }
  double flops() const { return 2.0 * double(M) * double(N) * double(K); }
};

/// out (rows, K) = scale[token] * b (K, N)[:, token] + position_table (P, K)[position]: what
/// kernels/embedding.h does, from the head that is tied to the embedding.
/// REQUIRES: 0 <= token < N, 0 <= position < P; a scale as above.
template <class T, class W>
struct NarrowEmbedding {
  T* out;
  const W* b;                    ///< narrow_count(K, N) elements
  const float* scale = nullptr;  ///< of int8 alone
  const T* position_table;
  const int32_t* token;
  const int32_t* position;
  int64_t rows, N, K, P;

  void visit(auto&& v) const {
    v.record("b", b, narrow_count(K, N));
    v.in("scale", scale, N);
    v.in("position_table", position_table, P * K);
    v.index("token", token, rows, N);
    v.index("position", position, rows, P);
    v.out("out", out, rows * K);
  }
  double flops() const { return 2.0 * double(rows) * double(K); }
};

template <class T, class W>
void run(Cpu, const NarrowGemm<T, W>&, Stream);
template <class T, class W>
void run(Cuda, const NarrowGemm<T, W>&, Stream);
template <class T, class W>
void run(Cpu, const NarrowEmbedding<T, W>&, Stream);
template <class T, class W>
void run(Cuda, const NarrowEmbedding<T, W>&, Stream);

}  // namespace rlhf
