// Attention against the definition: softmax over the whole row of scores, then a weighted sum.
#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/case.h"

namespace rlhf {
namespace {

/// Which keys a query sees.
enum class Sees {
  all,
  causal,
  documents,  ///< several packed in one row, of 1, 2, 3, ... tokens
  gaps,       ///< blocks of 7 in which a query does not see itself: some keys belong to nobody
};

/// Loops over queries and, for each, the weights of the keys it sees (dropout not applied).
void for_each_query(const AttentionForward<double>& c, auto&& body) {
  const AttentionLayout& l = c.layout;
  for (int64_t b = 0; b < l.B; b++) {
    for (int64_t h = 0; h < l.H; h++) {
      for (int64_t i = 0; i < l.Tq; i++) {
        const double* q = c.q + b * l.q_batch + i * l.q_token + h * l.D;
        std::vector<double> score(size_t(l.Tk), 0.0);
        double sum = 0;
        for (int64_t j = l.first_key(b, i); j < l.last_key(b, i); j++) {
          const double* k = c.k + l.kv_at(b) + j * l.kv_token + h * l.D;
          double dot = 0;
          for (int64_t d = 0; d < l.D; d++) dot += q[d] * k[d];
          sum += score[size_t(j)] = std::exp(double(c.scale) * dot);
        }
        for (double& weight : score) weight /= sum;
        body(b, h, i, score, std::log(sum));
      }
    }
  }
}

struct AttentionCase {
  struct Shape {
    std::string label;
    int64_t B, T, H, D;
    Sees sees = Sees::causal;
    float dropout = 0;
    bool packed = true;  ///< q, k, v interleaved as (B, T, 3C), or three dense matrices
  };
  static constexpr const char* name = "attention";
  static std::vector<Shape> shapes() {
    return {{"one_token", 1, 1, 1, 8},
            {"odd_head", 2, 9, 3, 5},
            {"block_edge", 1, 65, 2, 16},
            {"parallel", 2, 131, 2, 32},
            {"bidirectional", 2, 40, 2, 20, Sees::all},
            {"dense", 2, 33, 2, 12, Sees::causal, 0, false},
            {"documents", 2, 70, 2, 16, Sees::documents},
            {"gaps", 1, 80, 1, 24, Sees::gaps},
            {"dropout", 2, 70, 2, 16, Sees::causal, 0.3f},
            // What a GPU serves by kernels of their own, or by several tiles.
            {"head_64", 1, 132, 1, 64},
            {"head_80", 1, 40, 2, 80},
            {"head_128", 1, 66, 1, 128},
            {"head_256", 1, 40, 1, 256},
            {"bidirectional_tiles", 1, 132, 1, 16, Sees::all},
            {"documents_far", 1, 264, 1, 8, Sees::documents},
            {"dropout_quadruples", 1, 136, 1, 64, Sees::causal, 0.3f},
            {"dropout_128", 1, 40, 1, 128, Sees::documents, 0.2f},
            {"dropout_256", 1, 36, 1, 256, Sees::causal, 0.2f}};
  }
  static std::vector<Shape> bench_shapes() {
    return {{"T64_D32", 8, 64, 4, 32}, {"T256_D32", 4, 256, 4, 32}, {"T256_D64", 4, 256, 12, 64}};
  }
  static std::vector<Shape> gpu_bench_shapes() {
    return {{"B32_H12_T1024_D64", 32, 1024, 12, 64}, {"B16_H12_T2048_D64", 16, 2048, 12, 64},
            {"B8_H12_T4096_D64", 8, 4096, 12, 64},   {"B4_H12_T8192_D64", 4, 8192, 12, 64},
            {"B8_H16_T2048_D128", 8, 2048, 16, 128}, {"B4_H16_T4096_D128", 4, 4096, 16, 128}};
  }

  static AttentionLayout layout(Buffers& b, const Shape& s) {
    const int64_t C = s.H * s.D, token = s.packed ? 3 * C : C;
    AttentionLayout l{.B = s.B,
                      .Tq = s.T,
                      .Tk = s.T,
                      .H = s.H,
                      .D = s.D,
                      .q_token = token,
                      .q_batch = s.T * token,
                      .kv_token = token,
                      .kv_batch = s.T * token,
                      .causal = s.sees == Sees::causal};
    if (s.sees == Sees::all || s.sees == Sees::causal) return l;
    std::vector<int32_t> begin, end;
    for (int64_t row = 0; row < s.B; row++) {
      int64_t document = 0, length = 1;
      for (int64_t i = 0; i < s.T; i++) {
        if (i == document + length) document = i, length += s.sees == Sees::documents;
        if (s.sees == Sees::gaps) document = i / 7 * 7, length = 7;
        const int64_t seen = s.sees == Sees::gaps ? std::max(i, document + 1) : i + 1;
        begin.push_back(int32_t(document));
        end.push_back(int32_t(seen));
      }
    }
    l.begin = b.hold(begin);
    l.end = b.hold(end);
    return l;
  }

  template <class T>
  static AttentionForward<T> forward(Buffers& b, const Shape& s) {
    AttentionForward<T> c{};
    c.layout = layout(b, s);
    c.scale = float(1 / std::sqrt(double(s.D)));
    c.dropout = s.dropout;
    c.random = {.state = b.hold<StepState>({{.seed = 5, .draw = 3}}), .site = 2};
    c.out = b.output<T>(s.B * s.T * s.H * s.D);
    c.lse = b.output<Accumulator<T>>(s.B * s.H * s.T);
    operands<T>(b, s, c.q, c.k, c.v);
    return c;
  }

  static void reference(const AttentionForward<double>& c) {
    const AttentionLayout& l = c.layout;
    for_each_query(c, [&](int64_t b, int64_t h, int64_t i, const auto& weight, double lse) {
      const int64_t row = (b * l.H + h) * l.Tq + i;
      c.lse[row] = lse;
      for (int64_t d = 0; d < l.D; d++) {
        double sum = 0;
        for (int64_t j = 0; j < l.Tk; j++) {
          if (weight[size_t(j)] == 0) continue;
          if (c.dropout > 0 && c.random.uniform(uint64_t(row * l.Tk + j)) < c.dropout) continue;
          sum += weight[size_t(j)] * c.v[l.kv_at(b) + j * l.kv_token + h * l.D + d];
        }
        c.out[((b * l.Tq + i) * l.H + h) * l.D + d] = sum / (1 - double(c.dropout));
      }
    });
  }

  template <class T>
  static AttentionBackward<T> backward(Buffers& b, const Shape& s) {
    AttentionBackward<T> c{};
    c.layout = layout(b, s);
    c.scale = float(1 / std::sqrt(double(s.D)));
    c.dropout = s.dropout;
    c.random = {.state = b.hold<StepState>({{.seed = 5, .draw = 3}}), .site = 2};
    c.d_out = b.normal<T>(s.B * s.T * s.H * s.D);
    c.out = b.normal<T>(s.B * s.T * s.H * s.D);
    c.lse = b.normal<Accumulator<T>>(s.B * s.H * s.T);
    operands<T>(b, s, c.q, c.k, c.v);
    operands<T>(b, s, c.d_q, c.d_k, c.d_v);
    return c;
  }

  static constexpr Tolerance tolerance = {.f32 = 1e-5, .bf16 = 1e-2};

 private:
  template <class T, class Pointer>
  static void operands(Buffers& b, const Shape& s, Pointer& q, Pointer& k, Pointer& v) {
    const int64_t C = s.H * s.D, size = s.B * s.T * C;
    q = b.normal<T>(s.packed ? 3 * size : size);
    k = s.packed ? q + C : b.normal<T>(size);
    v = s.packed ? q + 2 * C : b.normal<T>(size);
  }
};
const Register<AttentionCase> registered;

/// Fewer queries than keys, as in decoding: the last queries of a longer sequence, or those of
/// sequences that fill their caches to different lengths, or live in some rows of a larger cache.
struct AttentionDecodeCase {
  struct Shape {
    std::string label;
    int64_t B, Tq, Tk, H, D;
    bool ragged = false;             ///< behind a sequence's length, a cache holds NaN
    std::vector<int32_t> rows = {};  ///< of each sequence; the cache's other rows hold NaN
    int64_t cache_rows = 0;
  };
  static constexpr const char* name = "attention_decode";
  static std::vector<Shape> shapes() {
    return {{"one", 3, 1, 77, 2, 16},
            {"few", 2, 5, 130, 2, 7},
            {"most", 1, 16, 200, 1, 64},
            {"prompt", 1, 20, 150, 2, 64},
            {"wide", 1, 2, 70, 1, 136},
            {"short", 2, 1, 40, 2, 16},
            {"ragged", 4, 1, 200, 2, 32, true},
            {"ragged_prompt", 3, 33, 140, 1, 16, true},
            {"rows", 3, 1, 200, 2, 32, true, {4, 0, 3}, 6},
            {"row_of_prompt", 1, 33, 140, 2, 16, true, {2}, 4}};
  }
  static std::vector<Shape> bench_shapes() { return {{"Tk256_D32", 8, 1, 256, 4, 32}}; }
  static std::vector<Shape> gpu_bench_shapes() {
    return {{"B1_Tk1024_D64", 1, 1, 1024, 12, 64},
            {"B1_Tk8192_D64", 1, 1, 8192, 12, 64},
            {"B64_Tk1024_D64", 64, 1, 1024, 12, 64}};
  }

  template <class T>
  static AttentionForward<T> forward(Buffers& b, const Shape& s) {
    const int64_t C = s.H * s.D;
    AttentionForward<T> c{};
    c.layout = {.B = s.B,
                .Tq = s.Tq,
                .Tk = s.Tk,
                .H = s.H,
                .D = s.D,
                .q_token = 3 * C,
                .q_batch = s.Tq * 3 * C,
                .kv_token = C,
                .kv_batch = s.Tk * C,
                .kv_row = s.rows.empty() ? nullptr : b.hold(s.rows),
                .kv_rows = s.cache_rows};
    c.scale = 0.25f;
    c.out = b.output<T>(s.B * s.Tq * C);
    c.lse = b.output<Accumulator<T>>(s.B * s.H * s.Tq);
    c.q = b.normal<T>(c.layout.q_size());
    T* const k = b.normal<T>(c.layout.kv_size());
    T* const v = b.normal<T>(c.layout.kv_size());
    c.k = k, c.v = v;
    if (!s.ragged) return c;
    std::vector<int32_t> end;
    const auto forbid = [&](int64_t row, int64_t length) {
      const int64_t from = row * c.layout.kv_batch + length * C;
      std::fill(k + from, k + (row + 1) * c.layout.kv_batch, T(NAN));
      std::fill(v + from, v + (row + 1) * c.layout.kv_batch, T(NAN));
    };
    for (int64_t row = 0; row < s.cache_rows; row++) {
      if (std::find(s.rows.begin(), s.rows.end(), int32_t(row)) == s.rows.end()) forbid(row, 0);
    }
    for (int64_t row = 0; row < s.B; row++) {
      const int64_t length = s.Tk - row * (s.Tk - s.Tq) / s.B;
      for (int64_t i = 0; i < s.Tq; i++) end.push_back(int32_t(length - s.Tq + i + 1));
      forbid(s.rows.empty() ? row : s.rows[size_t(row)], length);
    }
    c.layout.end = b.hold(end);
    return c;
  }

  static void reference(const AttentionForward<double>& c) { AttentionCase::reference(c); }

  static constexpr Tolerance tolerance = AttentionCase::tolerance;
};
const Register<AttentionDecodeCase> registered_decode;

}  // namespace
}  // namespace rlhf
