// The problems that the ladders solve, in a size: what tests check and benchmarks time.
#pragma once

#include "bench/ladder/ladder.h"
#include "tests/buffers.h"

namespace rlhf::ladder {

inline LayerNormForward<float> layer_norm_problem(Buffers& b, int64_t rows, int64_t C) {
  return {.out = b.output<float>(rows * C),
          .mean = b.output<float>(rows),
          .rstd = b.output<float>(rows),
          .in = b.normal<float>(rows * C),
          .weight = b.normal<float>(C),
          .bias = b.normal<float>(C),
          .rows = rows,
          .C = C};
}

inline LogProbForward<float> cross_entropy_problem(Buffers& b, int64_t N, int64_t V) {
  return {.log_prob = b.output<float>(N),
          .entropy = nullptr,
          .lse = b.output<float>(N),
          .logits = b.normal<float>(N * V, 3),
          .target = b.indices(N, V),
          .N = N,
          .V = V};
}

/// Packed q, k, v, as training has them.
inline AttentionForward<float> attention_problem(Buffers& b, int64_t B, int64_t T, int64_t H,
                                                 int64_t D) {
  const int64_t C = H * D;
  float* const out = b.output<float>(B * T * C);
  float* const lse = b.output<float>(B * H * T);
  const float* const qkv = b.normal<float>(B * T * 3 * C);
  return {.out = out,
          .lse = lse,
          .q = qkv,
          .k = qkv + C,
          .v = qkv + 2 * C,
          .layout = {.B = B,
                     .Tq = T,
                     .Tk = T,
                     .H = H,
                     .D = D,
                     .q_token = 3 * C,
                     .q_batch = T * 3 * C,
                     .kv_token = 3 * C,
                     .kv_batch = T * 3 * C},
          .scale = 0.125f};
}

inline Gemm<float> matmul_problem(Buffers& b, int64_t M, int64_t N, int64_t K) {
  return {.out = b.output<float>(M * N),
          .a = b.normal<float>(M * K),
          .b = b.normal<float>(K * N),
          .M = M,
          .N = N,
          .K = K};
}

}  // namespace rlhf::ladder
