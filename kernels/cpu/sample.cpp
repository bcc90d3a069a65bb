// Sampling without sorting: top-k needs a selection, top-p a heap that gives up only the most
// probable tokens, and everything else a scan of the vocabulary.
#include "kernels/sample.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/cpu/support/parallel.h"
#include "kernels/cpu/support/scratch.h"
#include "kernels/cpu/support/softmax_row.h"

namespace rlhf {
namespace {

using namespace cpu;

/// How many tokens, from the first on, are chosen from.
template <class T>
int64_t candidates(const Sample<T>& c) {
  return c.candidates > 0 ? c.candidates : c.V;
}

/// Tokens from the most to the least probable; equals by their number.
template <class T>
auto more_probable(const T* z) {
  return [z](int32_t a, int32_t b) { return z[a] != z[b] ? z[a] > z[b] : a < b; };
}

/// z = logits with the repetition penalty. Reads the original logit of each token, so that a token
/// that occurs twice in the history is penalised once. A NaN becomes the least of all, because the
/// selections below need an order; what a penalty takes out of T's range stays at its end.
template <class T>
void penalised(T* z, const Sample<T>& c, int64_t n) {
  const T* const logits = c.logits + n * c.V;
  const int64_t V = candidates(c);
#pragma omp simd
  for (int64_t v = 0; v < V; v++) {
    z[v] = logits[v] == logits[v] ? logits[v] : -std::numeric_limits<T>::infinity();
  }
  if (!c.history || c.repetition_penalty == 1) return;
  const T penalty = T(c.repetition_penalty);
  const int32_t* const history = c.history + n * c.history_stride;
  for (int64_t i = 0; i < c.history_length[n]; i++) {
    const T logit = logits[history[i]];
    if (!std::isfinite(logit) || history[i] >= V) continue;
    z[history[i]] = std::clamp(logit > 0 ? logit / penalty : logit * penalty,
                               std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max());
  }
}

/// The first of the largest. REQUIRES: no NaN.
template <class T>
int32_t most_probable(const T* z, int64_t V) {
  return int32_t(std::find(z, z + V, row_max(z, V)) - z);
}

/// Replaces logits by weights exp((logit - max) / temperature). The difference comes first, so that
/// the largest weight is exactly 1 and nothing overflows, however small the temperature.
template <class T>
void weigh(T* z, int64_t V, T inverse_temperature) {
  const T max = row_max(z, V);
#pragma omp simd
  for (int64_t v = 0; v < V; v++) z[v] = fast_exp((z[v] - max) * inverse_temperature);
}

template <class T>
double mass(const T* weight, const int32_t* first, const int32_t* last) {
  double sum = 0;
  for (; first != last; first++) sum += double(weight[*first]);
  return sum;
}

/// Keeps the k tokens of largest logit. Logits, not weights: those of unlikely tokens are all 0.
template <class T>
int32_t* keep_top_k(const T* z, int32_t* first, int32_t* last, int64_t k) {
  if (k <= 0 || k >= last - first) return last;
  std::nth_element(first, first + k, last, more_probable(z));
  return first + k;
}

/// Keeps the smallest set of the most probable tokens whose share of the mass reaches p, at least
/// one. Kept tokens come off the heap to the end of the range and move to its front.
template <class T>
int32_t* keep_top_p(const T* weight, int32_t* first, int32_t* last, double p) {
  if (p >= 1) return last;
  const double wanted = p * mass(weight, first, last);
  const auto less_probable = [before = more_probable(weight)](int32_t a, int32_t b) {
    return before(b, a);
  };
  std::make_heap(first, last, less_probable);
  int32_t* heap_end = last;
  double reached = 0;
  do {
    std::pop_heap(first, heap_end--, less_probable);
    reached += double(weight[*heap_end]);
  } while (reached < wanted && heap_end != first);
  return std::copy(heap_end, last, first);
}

/// Keeps what is at least min_p times as probable as the most probable, whose weight is 1.
template <class T>
int32_t* keep_min_p(const T* weight, int32_t* first, int32_t* last, T min_p) {
  return std::remove_if(first, last, [=](int32_t token) { return weight[token] < min_p; });
}

/// The first of the tokens (in ascending order) at which the cumulative weight exceeds u of the
/// total. Rounding may leave u * total unreached: then the last token with a weight.
template <class T>
int32_t invert(const T* weight, int32_t count, auto&& token_at, double u) {
  double total = 0;
  for (int32_t i = 0; i < count; i++) total += double(weight[token_at(i)]);
  const double wanted = u * total;
  double reached = 0;
  int32_t chosen = token_at(0);
  for (int32_t i = 0; i < count && reached <= wanted; i++) {
    const int32_t token = token_at(i);
    if (weight[token] > 0) chosen = token;
    reached += double(weight[token]);
  }
  return chosen;
}

/// One token by the row's own random number; z: its logits, overwritten by weights.
template <class T>
int32_t draw(const Sample<T>& c, int64_t n, T* z, T inverse_temperature) {
  const PhiloxWords words = random_words(c.seed_of(n), RandomStream::sampling, 0, 0, c.draw[n]);
  const double u = unit_double(words[0], words[1]);
  const int64_t V = candidates(c);
  const bool filtered = (c.top_k > 0 && c.top_k < V) || c.top_p < 1 || c.min_p > 0;
  if (!filtered) {
    weigh(z, V, inverse_temperature);
    return invert(
        z, int32_t(V), [](int32_t i) { return i; }, u);
  }
  static thread_local Scratch<int32_t> scratch;
  int32_t* const first = scratch.reserve(V);
  std::iota(first, first + V, 0);
  int32_t* last = keep_top_k(z, first, first + V, c.top_k);
  weigh(z, V, inverse_temperature);
  last = keep_top_p(z, first, last, double(c.top_p));
  last = keep_min_p(z, first, last, T(c.min_p));
  std::sort(first, last);
  return invert(
      z, int32_t(last - first), [=](int32_t i) { return first[i]; }, u);
}

/// Whether T can tell logits / temperature apart: at 1 / epsilon its neighbours differ by one.
template <class T>
bool has_distribution(const T* logits, int64_t V, T inverse_temperature) {
  return std::abs(row_max(logits, V) * inverse_temperature) < 1 / std::numeric_limits<T>::epsilon();
}

}  // namespace

template <class T>
void run(Cpu, const Sample<T>& c, Stream) {
  // Divided in float, as callers of LogProbForward do: the log-probabilities are to be bit-equal.
  const T wanted = T(c.temperature == 0 ? 1.0f : 1.0f / c.temperature);
  const int64_t V = candidates(c);
  parallel_for(c.N, c.flops(), [&](int64_t n) {
    const T* const logits = c.logits + n * c.V;
    static thread_local Scratch<T> scratch;
    T* const z = scratch.reserve(V);
    penalised(z, c, n);
    const bool greedy = c.temperature == 0 || !has_distribution(logits, V, wanted);
    const T inverse = greedy ? T(1) : wanted;
    if (greedy) {
      c.token[n] = most_probable(z, V);
    } else {
      c.token[n] = draw(c, n, z, inverse);
    }
    const SoftmaxRow<T> softmax = softmax_row(logits, c.V, inverse);
    c.log_prob[n] = row_log_prob(logits[c.token[n]], inverse, softmax.lse);
  });
}

template void run(Cpu, const Sample<float>&, Stream);
template void run(Cpu, const Sample<double>&, Stream);

}  // namespace rlhf
