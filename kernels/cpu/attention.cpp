// Attention on registers and first-level cache: blocks of 64 queries by 64 keys, the scores of a
// block computed for 4 queries at a time against keys that lie transposed (dimension by dimension),
// so that a vector holds the scores of neighbouring keys and no sum crosses lanes but the
// softmax's.
#include "kernels/attention.h"

#include <cmath>
#include <limits>
#include <utility>

#include "kernels/cpu/support/attention_rows.h"
#include "kernels/cpu/support/math.h"
#include "kernels/cpu/support/parallel.h"
#include "kernels/cpu/support/scratch.h"

namespace rlhf {
namespace {

using namespace cpu;

/// Of a full-width multiply-add, against the elementary operation that parallel.h counts in.
constexpr double flops_per_operation = 16;

/// The maximum of no scores.
template <class T>
constexpr T lowest = -std::numeric_limits<T>::infinity();

// ---------------------------------------------------------------------------------------- forward

/// The state of an online softmax over one row.
template <class T>
struct RunningSoftmax {
  T max, sum;
};

/// Turns the scores of `valid` more keys into weights exp(score - max), 0 up to `width`, and brings
/// what was summed under an older maximum to the new one (Milakov and Gimelshein, algorithm 3).
template <class T>
void softmax_step(RunningSoftmax<T>& state, T* score, int valid, int width, T scale, T* out,
                  int out_width) {
  T lane_max[lanes<T>];
  std::fill_n(lane_max, lanes<T>, lowest<T>);
  for_each_lane<T>(width, [&](int j, int lane) {
    score[j] *= scale;
    const T seen = j < valid ? score[j] : lowest<T>;
    lane_max[lane] = seen > lane_max[lane] ? seen : lane_max[lane];
  });
  const auto larger = [](Vector<T> x, Vector<T> y) { return x > y ? x : y; };
  const T max = std::max(state.max, fold<T>(load(lane_max), larger));
  for_each_lane<T>(width, [&](int j, int) {
    const T weight = fast_exp(j < valid ? score[j] - max : T(0));
    score[j] = j < valid ? weight : T(0);
  });
  const T sum = vector_sum(score, width);
  if (state.sum == 0 || max == state.max) {
    state = {max, state.sum + sum};
    return;
  }
  const T correction = fast_exp(state.max - max);
  state = {max, fused(state.sum, correction, sum)};
  for_each_lane<T>(out_width, [&](int d, int) { out[d] *= correction; });
}

/// Queries [first, first + rows) of (b, h), whose keys all begin at the same place.
/// REQUIRES: rows <= block_queries.
template <class T>
void forward_rows(const AttentionForward<T>& c, int64_t b, int64_t h, int64_t first, int64_t rows) {
  const AttentionLayout& l = c.layout;
  const int64_t D = l.D, width_v = padded<T>(D);
  const bool packed_values = width_v != D;
  static thread_local Scratch<T> scratch;
  T* const keys_t = scratch.reserve(D * block_keys + (block_keys + block_queries) * width_v +
                                    (product_rows + 1) * block_keys);
  T* const values = keys_t + D * block_keys;
  T* const sums = values + block_keys * width_v;
  T* const scores = sums + block_queries * width_v;
  T* const factor = scores + product_rows * block_keys;
  RunningSoftmax<T> state[block_queries];

  std::fill_n(sums, rows * width_v, T(0));
  std::fill_n(state, rows, RunningSoftmax<T>{lowest<T>, T(0)});
  const int64_t begin = l.first_key(b, first);
  int64_t end = begin;
  for (int64_t r = 0; r < rows; r++) end = std::max(end, l.last_key(b, first + r));

  const T* const q = c.q + b * l.q_batch + first * l.q_token + h * D;
  for (int64_t j = begin; j < end; j += block_keys) {
    const int64_t keys = std::min(block_keys, end - j);
    const int64_t kv = l.kv_at(b) + j * l.kv_token + h * D;
    if (rows > 1) pack_transposed(keys_t, c.k + kv, l.kv_token, keys, D);
    if (packed_values) pack(values, c.v + kv, l.kv_token, keys, D);
    const T* const v = packed_values ? values : c.v + kv;
    // One query waits for memory: this block's products ask for the next, or the next head's first.
    const int64_t next =
        j + block_keys < end ? block_keys * l.kv_token : (begin - j) * l.kv_token + D;
    const int64_t v_stride = packed_values ? width_v : l.kv_token;

    for (int64_t r = 0; r < rows; r += product_rows) {
      const int64_t tile = std::min(product_rows, rows - r);
      KeySpan span[product_rows];
      int64_t seen = 0;
      for (int64_t m = 0; m < tile; m++) {
        span[m] = visible(l, b, first + r + m, j, keys);
        seen = std::max(seen, span[m].end);
      }
      if (seen <= 0) continue;
      const int64_t width = padded<T>(seen);
      Tile<T> product{.out = scores,
                      .out_row = block_keys,
                      .a = q + r * l.q_token,
                      .a_row = l.q_token,
                      .a_k = 1,
                      .b = keys_t,
                      .b_stride = block_keys,
                      .K = D};
      if (rows > 1) {
        tile_product(product, tile, width);
      } else {  // a token that is decoded: no copy would be read twice
        product.b = c.k + kv, product.b_stride = l.kv_token, product.columns = seen;
        product.ahead = product.b + next, product.ahead_k = 1, product.ahead_j = l.kv_token;
        row_product_transposed(product);
      }
      for (int64_t m = 0; m < tile; m++) {
        T* const score = scores + m * block_keys;
        if (span[m].end <= 0) {
          std::fill_n(score, width, T(0));
          continue;
        }
        softmax_step(state[r + m], score, int(span[m].end), int(width), T(c.scale),
                     sums + (r + m) * width_v, int(width_v));
        if (c.dropout > 0) {
          dropout_factors(factor, c, b, h, first + r + m, j, span[m]);
          for (int64_t k = 0; k < span[m].end; k++) score[k] *= factor[k];
        }
      }
      tile_product<T>({.out = sums + r * width_v,
                       .out_row = width_v,
                       .a = scores,
                       .a_row = block_keys,
                       .a_k = 1,
                       .b = v,
                       .b_stride = v_stride,
                       .ahead = rows > 1 ? nullptr : c.v + kv + next,
                       .ahead_k = l.kv_token,
                       .ahead_j = line<T>,
                       .K = seen,
                       .add = true},
                      tile, width_v);
    }
  }
  for (int64_t r = 0; r < rows; r++) {
    const int64_t i = first + r;
    c.lse[(b * l.H + h) * l.Tq + i] = state[r].max + std::log(state[r].sum);
    const T inverse = T(1) / state[r].sum;
    T* const out = c.out + ((b * l.Tq + i) * l.H + h) * D;
#pragma omp simd
    for (int64_t d = 0; d < D; d++) out[d] = sums[r * width_v + d] * inverse;
  }
}

// --------------------------------------------------------------------------------------- backward

/// Working memory of one head: rows of its queries, one block of its keys, their products.
template <class T>
struct HeadScratch {
  T *q, *d_out, *d_q, *delta;    // (T, D) each; (T)
  T *k, *k_t, *v_t, *d_k, *d_v;  // (keys, D), (D, keys), (D, keys), (keys, D) twice
  T *weight, *d_score, *factor;  // (queries, keys) twice; (keys)

  static HeadScratch carve(Scratch<T>& scratch, int64_t tokens, int64_t D) {
    const int64_t rows = tokens * padded<T>(D), keys = block_keys * padded<T>(D);
    const int64_t square = block_queries * block_keys;
    T* at = scratch.reserve(3 * rows + padded<T>(tokens) + 5 * keys + 2 * square + block_keys);
    const auto take = [&at](int64_t count) { return std::exchange(at, at + count); };
    HeadScratch s;
    for (T** x : {&s.q, &s.d_out, &s.d_q}) *x = take(rows);
    s.delta = take(padded<T>(tokens));
    for (T** x : {&s.k, &s.k_t, &s.v_t, &s.d_k, &s.d_v}) *x = take(keys);
    for (T** x : {&s.weight, &s.d_score}) *x = take(square);
    s.factor = take(block_keys);
    return s;
  }
};

/// Row i's weights and the gradient of its scores from scores and d_out . v (FlashAttention,
/// algorithm 4, lines 12-20): d_score = weight (d_weight - delta) scale, delta = d_out . out.
template <class T>
void score_gradient(const AttentionBackward<T>& c, const HeadScratch<T>& s, int64_t b, int64_t h,
                    int64_t i, int64_t first_key, KeySpan span, int width, T* weight, T* d_score) {
  const T lse = c.lse[(b * c.layout.H + h) * c.layout.Tq + i];
  const T delta = s.delta[i], scale = T(c.scale);
  const T* const factor = s.factor;  // all 1 without dropout
  if (c.dropout > 0) dropout_factors(s.factor, c, b, h, i, first_key, span);
  const int begin = int(span.begin), end = int(span.end);
  for_each_lane<T>(width, [&](int j, int) {
    const bool seen = (j >= begin) & (j < end);
    const T score = fused(weight[j], scale, -lse);
    const T power = fast_exp(seen ? score : T(0)), p = seen ? power : T(0);
    weight[j] = p * factor[j];
    d_score[j] = p * fused(d_score[j], factor[j], -delta) * scale;
  });
  std::fill(weight + width, weight + block_keys, T(0));
  std::fill(d_score + width, d_score + block_keys, T(0));
}

/// Adds what queries [first, first + rows) contribute to the block's d_k and d_v, and the block's
/// contribution to their d_q.
template <class T>
void backward_block(const AttentionBackward<T>& c, const HeadScratch<T>& s, int64_t b, int64_t h,
                    int64_t first_key, int64_t keys, int64_t first, int64_t rows) {
  const int64_t D = c.layout.D, stride = padded<T>(D);
  KeySpan span[block_queries];
  int64_t most = 0;
  for (int64_t r = 0; r < rows; r++) {
    span[r] = visible(c.layout, b, first + r, first_key, keys);
    if (span[r].begin < span[r].end) most = std::max(most, span[r].end);
  }
  if (most == 0) return;
  for (int64_t r = 0; r < rows; r += product_rows) {
    const int64_t tile = std::min(product_rows, rows - r);
    int64_t seen = 0;
    for (int64_t m = 0; m < tile; m++) seen = std::max(seen, span[r + m].end);
    const int64_t width = padded<T>(seen);
    T* const weight = s.weight + r * block_keys;
    T* const d_score = s.d_score + r * block_keys;
    const int64_t at = (first + r) * stride;
    Tile<T> product{.out = weight,
                    .out_row = block_keys,
                    .a = s.q + at,
                    .a_row = stride,
                    .a_k = 1,
                    .b = s.k_t,
                    .b_stride = block_keys,
                    .K = D};
    tile_product(product, tile, width);
    product.out = d_score, product.a = s.d_out + at, product.b = s.v_t;
    tile_product(product, tile, width);
    for (int64_t m = 0; m < tile; m++) {
      score_gradient(c, s, b, h, first + r + m, first_key, span[r + m], int(width),
                     weight + m * block_keys, d_score + m * block_keys);
    }
    tile_product<T>({.out = s.d_q + at,
                     .out_row = stride,
                     .a = d_score,
                     .a_row = block_keys,
                     .a_k = 1,
                     .b = s.k,
                     .b_stride = stride,
                     .K = seen,
                     .add = true},
                    tile, stride);
  }
  int64_t from = 0;
  for (int64_t j = 0; j < most; j += product_rows) {
    const int64_t tile = std::min(product_rows, most - j);
    while (from < rows && span[from].end <= j) from++;
    int64_t to = rows;
    while (to > from && span[to - 1].begin >= j + tile) to--;
    const int64_t at = (first + from) * stride, corner = from * block_keys + j;
    Tile<T> product{.out = s.d_v + j * stride,
                    .out_row = stride,
                    .a = s.weight + corner,
                    .a_row = 1,
                    .a_k = block_keys,
                    .b = s.d_out + at,
                    .b_stride = stride,
                    .K = to - from,
                    .add = true};
    tile_product(product, tile, stride);
    product.out = s.d_k + j * stride, product.a = s.d_score + corner, product.b = s.q + at;
    tile_product(product, tile, stride);
  }
}

template <class T>
void backward_head(const AttentionBackward<T>& c, int64_t b, int64_t h) {
  const AttentionLayout& l = c.layout;
  const int64_t tokens = l.Tq, D = l.D, stride = padded<T>(D), C = l.H * D;
  static thread_local Scratch<T> scratch;
  const auto s = HeadScratch<T>::carve(scratch, tokens, D);
  pack(s.q, c.q + b * l.q_batch + h * D, l.q_token, tokens, D);
  pack(s.d_out, c.d_out + b * tokens * C + h * D, C, tokens, D);
  std::fill_n(s.d_q, tokens * stride, T(0));
  std::fill_n(s.factor, block_keys, T(1));
  for (int64_t i = 0; i < tokens; i++) {
    const T* const out = c.out + (b * tokens + i) * C + h * D;
    T* const product = s.k;
#pragma omp simd
    for (int64_t d = 0; d < D; d++) product[d] = s.d_out[i * stride + d] * out[d];
    std::fill(product + D, product + stride, T(0));
    s.delta[i] = vector_sum(product, stride);
  }
  for (int64_t j = 0; j < l.Tk; j += block_keys) {
    const int64_t keys = std::min(block_keys, l.Tk - j);
    const int64_t kv = b * l.kv_batch + j * l.kv_token + h * D;
    pack(s.k, c.k + kv, l.kv_token, keys, D);
    pack_transposed(s.k_t, c.k + kv, l.kv_token, keys, D);
    pack_transposed(s.v_t, c.v + kv, l.kv_token, keys, D);
    std::fill_n(s.d_k, keys * stride, T(0));
    std::fill_n(s.d_v, keys * stride, T(0));
    for (int64_t i = 0; i < tokens; i += block_queries) {
      backward_block(c, s, b, h, j, keys, i, std::min(block_queries, tokens - i));
    }
    unpack(c.d_k + kv, l.kv_token, s.d_k, keys, D);
    unpack(c.d_v + kv, l.kv_token, s.d_v, keys, D);
  }
  unpack(c.d_q + b * l.q_batch + h * D, l.q_token, s.d_q, tokens, D);
}

}  // namespace

template <class T>
void run(Cpu, const AttentionForward<T>& c, Stream) {
  const AttentionLayout& l = c.layout;
  const int64_t blocks = (l.Tq + block_queries - 1) / block_queries;
  const double read = 2.0 * double(l.B * l.Tk) * double(l.H * l.D);  // for one query, what counts
  const double work = std::max(c.flops() / flops_per_operation, read);
  parallel_for(l.B * l.H * blocks, work, [&](int64_t task) {
    const int64_t b = task / blocks / l.H, h = task / blocks % l.H;
    int64_t first = task % blocks * block_queries;
    const int64_t last = std::min(first + block_queries, l.Tq);
    while (first < last) {
      int64_t next = first + 1;
      while (next < last && l.first_key(b, next) == l.first_key(b, first)) next++;
      forward_rows(c, b, h, first, next - first);
      first = next;
    }
  });
}

template <class T>
void run(Cpu, const AttentionBackward<T>& c, Stream) {
  const AttentionLayout& l = c.layout;
  parallel_for(l.B * l.H, c.flops() / flops_per_operation,
               [&](int64_t head) { backward_head(c, head / l.H, head % l.H); });
}

template void run(Cpu, const AttentionForward<float>&, Stream);
template void run(Cpu, const AttentionForward<double>&, Stream);
template void run(Cpu, const AttentionBackward<float>&, Stream);
template void run(Cpu, const AttentionBackward<double>&, Stream);

}  // namespace rlhf
