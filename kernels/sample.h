// Choosing the next token of each sequence from its logits.
#pragma once

#include "kernels/device.h"
#include "kernels/philox.h"

namespace rlhf {

/// Per row, in this order (that of Hugging Face's generation): repetition penalty (Keskar et al.
/// 2019: a token already in `history` has its logit divided by the penalty when positive,
/// multiplied when negative), division by temperature, top-k (keep the k largest), top-p (keep the
/// smallest set of the most probable tokens whose mass reaches p; Holtzman et al. 2020), min-p
/// (drop what is less probable than min_p times the most probable; Nguyen et al. 2024),
/// renormalisation, one draw by inverting the cumulative sum. Temperature 0 takes the largest logit
/// (the first of equals), and so does one so small that T cannot tell the largest logit over it
/// from its neighbours (2^23 and more in float).
///
/// `log_prob` is that of the token under softmax(logits / temperature) over the whole vocabulary:
/// what PPO calls the old log-probability. Policies should therefore sample without filters. Where
/// the choice is greedy it is taken at temperature 1. It has the bits of LogProbForward's on the
/// CPU and agrees up to rounding on a GPU, where the shape of a product decides on the logits' last
/// digits anyway. Both devices choose the same token for the same float logits, unless the draw or
/// the edge of a filter falls within the rounding of the sums.
///
/// With `candidates` only the tokens below it are chosen from: the rows that pad an embedding stand
/// behind them. They still count in log_prob, as they do in training.
///
/// A row that holds a NaN or +infinity, or nothing but -infinity, has no distribution. It gets some
/// token within the vocabulary and a log_prob of NaN, by which callers are to refuse it. A logit of
/// -infinity among finite ones forbids its token.
///
/// logits: (N, V), left as they were. token, log_prob, draw: (N).
/// `row_seed`, (N), takes the place of `seed` where rows belong to different runs.
/// history: (N, history_stride), the first history_length[n] of row n count; null without a
/// penalty.
template <class T>
struct Sample {
  int32_t* token;
  Accumulator<T>* log_prob;
  const T* logits;
  int64_t N, V;
  int64_t candidates = 0;  ///< 0: all V
  float temperature = 1;
  int64_t top_k = 0;  ///< 0: all
  float top_p = 1;
  float min_p = 0;
  float repetition_penalty = 1;
  const int32_t* history = nullptr;
  const int32_t* history_length = nullptr;
  int64_t history_stride = 0;
  const uint64_t* draw;  ///< the index of each row's random number: its sequence and position
  uint64_t seed;
  const uint64_t* row_seed = nullptr;

  constexpr uint64_t seed_of(int64_t n) const { return row_seed ? row_seed[n] : seed; }
  void visit(auto&& v) const {
    v.in("logits", logits, N * V);
    v.index("history", history, N * history_stride, V);
    v.index("history_length", history ? history_length : nullptr, N, history_stride + 1);
    v.record("draw", draw, N);
    v.record("row_seed", row_seed, N);
    v.out("token", token, N);
    v.out("log_prob", log_prob, N);
  }
  double flops() const { return 6.0 * double(N * V); }
};

template <class T>
void run(Cpu, const Sample<T>&, Stream);
template <class T>
void run(Cuda, const Sample<T>&, Stream);

}  // namespace rlhf
