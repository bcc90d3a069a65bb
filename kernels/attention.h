// Scaled dot-product attention that never stores the (Tq, Tk) matrix: online softmax over blocks of
// keys (Milakov and Gimelshein 2018; FlashAttention, Dao et al. 2022, algorithms 1 and 2).
#pragma once

#include "kernels/device.h"
#include "kernels/philox.h"

namespace rlhf {

/// Where q, k and v lie. Heads stay packed: head h of a token is its elements [h*D, (h+1)*D). The
/// same contract serves packed (B, T, 3C) training (all strides 3C) and a KV cache.
///
/// Query (b, i) attends to the keys [begin, end): by default [0, Tk - Tq + i + 1) when causal, and
/// all Tk otherwise. `begin` and `end`, (B, Tq) each, override that: documents packed in one row,
/// padding, and caches filled to a different length for each sequence.
///
/// `kv_row`, (B), says in which of `kv_rows` rows of k and v the keys of sequence b lie, where that
/// is not row b: a batch that holds some of a cache's sequences, in any order.
/// REQUIRES: 0 <= begin < end <= Tk for every query; 0 <= kv_row < kv_rows.
struct AttentionLayout {
  int64_t B, Tq, Tk, H, D;
  int64_t q_token, q_batch;    ///< elements from one token, one sequence of q to the next
  int64_t kv_token, kv_batch;  ///< the same of k and v
  bool causal = true;
  const int32_t* begin = nullptr;
  const int32_t* end = nullptr;
  const int32_t* kv_row = nullptr;
  int64_t kv_rows = 0;  ///< read with kv_row alone: there are B otherwise

  constexpr int64_t first_key(int64_t b, int64_t i) const { return begin ? begin[b * Tq + i] : 0; }
  constexpr int64_t last_key(int64_t b, int64_t i) const {
    return end ? end[b * Tq + i] : causal ? Tk - Tq + i + 1 : Tk;
  }
  /// Where the keys and values of sequence b begin, in elements.
  constexpr int64_t kv_at(int64_t b) const { return (kv_row ? kv_row[b] : b) * kv_batch; }
  /// `products` matrix products of (Tq, D) by (D, Tk), halved when causal.
  double flops(int products) const {
    const double full = 2.0 * products * double(B * H) * double(Tq) * double(Tk) * double(D);
    return causal && Tq > 1 ? full / 2 : full;
  }
  int64_t q_size() const { return (B - 1) * q_batch + (Tq - 1) * q_token + H * D; }
  int64_t kv_size() const {
    return ((kv_row ? kv_rows : B) - 1) * kv_batch + (Tk - 1) * kv_token + H * D;
  }
};

/// out_i = sum_j p_ij v_j with p_i = softmax_j(scale q_i . k_j), optionally with dropout on p.
/// out: (B, Tq, H*D) dense; lse: (B, H, Tq), log sum_j exp(scale q_i . k_j), kept for the backward.
///
/// The CPU visits keys in blocks counted from `begin`, so that a row's bits depend neither on where
/// its document starts nor on how many queries are computed with it. The GPU counts blocks from key
/// 0, and up to 16 queries may share the context out: those rows agree up to rounding. Heads are at
/// most 256 wide there.
/// REQUIRES: scale > 0.
template <class T>
struct AttentionForward {
  T* out;
  Accumulator<T>* lse;
  const T* q;
  const T* k;
  const T* v;
  AttentionLayout layout;
  float scale;             ///< 1 / sqrt(D) in GPT-2
  float dropout = 0;       ///< probability of zeroing one p_ij; the rest are divided by 1 - dropout
  RandomSite random = {};  ///< element index ((b*H + h)*Tq + i)*Tk + j

  void visit(auto&& v_) const {
    v_.in("q", q, layout.q_size());
    v_.in("k", k, layout.kv_size());
    v_.in("v", v, layout.kv_size());
    v_.index("kv_row", layout.kv_row, layout.B, layout.kv_rows);
    v_.out("out", out, layout.B * layout.Tq * layout.H * layout.D);
    v_.out("lse", lse, layout.B * layout.H * layout.Tq);
  }
  double flops() const { return layout.flops(2); }
};

/// Gradients of q, k, v, laid out like q, k, v themselves and overwritten (a packed (B, T, 3C)
/// gradient is written whole). p_ij is recomputed from lse.
/// Keys that no query sees get 0.
/// REQUIRES: scale > 0; Tq == Tk and no kv_row (training).
template <class T>
struct AttentionBackward {
  T* d_q;
  T* d_k;
  T* d_v;
  const T* d_out;
  const T* q;
  const T* k;
  const T* v;
  const T* out;
  const Accumulator<T>* lse;
  AttentionLayout layout;
  float scale;
  float dropout = 0;
  RandomSite random = {};

  void visit(auto&& v_) const {
    v_.in("d_out", d_out, layout.B * layout.Tq * layout.H * layout.D);
    v_.in("q", q, layout.q_size());
    v_.in("k", k, layout.kv_size());
    v_.in("v", v, layout.kv_size());
    v_.in("out", out, layout.B * layout.Tq * layout.H * layout.D);
    v_.in("lse", lse, layout.B * layout.H * layout.Tq);
    v_.out("d_q", d_q, layout.q_size());
    v_.out("d_k", d_k, layout.kv_size());
    v_.out("d_v", d_v, layout.kv_size());
  }
  double flops() const { return layout.flops(5); }
};

template <class T>
void run(Cpu, const AttentionForward<T>&, Stream);
template <class T>
void run(Cuda, const AttentionForward<T>&, Stream);
template <class T>
void run(Cpu, const AttentionBackward<T>&, Stream);
template <class T>
void run(Cuda, const AttentionBackward<T>&, Stream);

}  // namespace rlhf
