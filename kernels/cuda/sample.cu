// Sampling in two kernels. The first goes over the logits once, in parts of a few thousand, so that
// a single row has many blocks; the second chooses, with one block a row. Without filters it looks
// at one part again, which the parts' masses and the random number point to; filters select by the
// bits of logits and weights instead of sorting (support/select.h). The parts of a row and the
// order of its sums depend on V alone: a row's token does not depend on which rows are beside it.
#include "kernels/sample.h"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>

#include "kernels/cuda/support/select.h"
#include "kernels/cuda/support/workspace.h"

namespace rlhf {
namespace {

using namespace gpu;

constexpr int per_thread = 16, most_part_threads = 256, most_part = per_thread * most_part_threads;

/// What the first kernel finds out about a part of a row.
struct Part {
  float max, sum;       ///< largest logit; sum exp((logit - max) / temperature)
  float max_candidate;  ///< largest logit of a token that may be chosen
  float max_penalised;  ///< and with the repetition penalty
  uint64_t best;        ///< its ordered_bits(), then ~token: the first of equals is the largest
  double mass;          ///< sum exp((penalised - max_penalised) / temperature)
};

/// The memory behind a contract's run, and how rows are divided.
struct Work {
  Part* part;        ///< (N, parts)
  float* penalised;  ///< (N, V); null without a penalty
  int32_t* list;     ///< (N, V); null without a selection
  int64_t parts, part_size;
  float inverse_temperature;  ///< 1 for temperature 0
  float one;                  ///< what a weight of 1 is as an integer; V of them still fit 64 bits
};

__device__ inline float finite_origin(float max) { return max == -HUGE_VALF ? 0 : max; }

/// A NaN becomes the least of all: selections need an order.
__device__ inline float ordered(float logit) { return logit == logit ? logit : -HUGE_VALF; }

template <class T>
__device__ int64_t candidates(const Sample<T>& c) {
  return c.candidates > 0 ? c.candidates : c.V;
}

/// A logit of a token of the history; what leaves float's range stays at its end.
__device__ inline float penalise(float logit, float penalty) {
  if (!(fabsf(logit) <= FLT_MAX)) return ordered(logit);
  const float x = logit > 0 ? logit / penalty : logit * penalty;
  return fminf(fmaxf(x, -FLT_MAX), FLT_MAX);
}

template <class T>
__global__ void __launch_bounds__(most_part_threads) measure_kernel(Sample<T> c, Work work) {
  __shared__ unsigned seen[most_part / 32];  // tokens of this part that the history holds
  const int64_t n = blockIdx.x / work.parts;
  const int64_t begin = (blockIdx.x % work.parts) * work.part_size;
  const T* const logits = c.logits + n * c.V;
  float x[per_thread], max = -HUGE_VALF;
#pragma unroll
  for (int j = 0; j < per_thread; j++) {
    const int64_t v = begin + j * int64_t(blockDim.x) + threadIdx.x;
    x[j] = v < c.V ? float(logits[v]) : -HUGE_VALF;
    max = fmaxf(max, x[j]);
  }
  if (work.penalised) {
    for (int i = int(threadIdx.x); i < most_part / 32; i += int(blockDim.x)) seen[i] = 0;
    __syncthreads();
    for (int i = int(threadIdx.x); i < c.history_length[n]; i += int(blockDim.x)) {
      const int64_t at = c.history[n * c.history_stride + i] - begin;
      if (at >= 0 && at < work.part_size) atomicOr(&seen[at / 32], 1u << (at % 32));
    }
    __syncthreads();
  }
  max = block_max(max, -HUGE_VALF);
  float sum = 0, max_candidate = -HUGE_VALF, max_penalised = -HUGE_VALF;
  uint64_t best = 0;
#pragma unroll
  for (int j = 0; j < per_thread; j++) {
    const int64_t at = j * int64_t(blockDim.x) + threadIdx.x, v = begin + at;
    sum += expf((x[j] - finite_origin(max)) * work.inverse_temperature);
    const bool candidate = v < candidates(c);
    if (candidate) max_candidate = fmaxf(max_candidate, x[j]);
    const bool penalised = candidate && work.penalised && (seen[at / 32] >> (at % 32) & 1);
    x[j] = !candidate  ? -HUGE_VALF
           : penalised ? penalise(x[j], c.repetition_penalty)
                       : ordered(x[j]);
    if (!candidate) continue;
    if (work.penalised) work.penalised[n * c.V + v] = x[j];
    max_penalised = fmaxf(max_penalised, x[j]);
    const uint64_t rank = uint64_t(ordered_bits(x[j])) << 32 | ~uint32_t(v);
    best = rank > best ? rank : best;
  }
  max_penalised = block_max(max_penalised, -HUGE_VALF);
  double mass = 0;
#pragma unroll
  for (int j = 0; j < per_thread; j++) {
    mass += double(expf((x[j] - finite_origin(max_penalised)) * work.inverse_temperature));
  }
  const Part part{max,
                  block_sum(sum),
                  block_max(max_candidate, -HUGE_VALF),
                  max_penalised,
                  block_max(best, uint64_t(0)),
                  block_sum(mass)};
  if (threadIdx.x == 0) work.part[blockIdx.x] = part;
}

/// One row as the second kernel sees it.
template <class T>
struct Row {
  const T* logits;
  const float* penalised;
  const Part* part;
  int64_t parts, V;
  float max = -HUGE_VALF, max_candidate = -HUGE_VALF, max_penalised = -HUGE_VALF;
  uint64_t best = 0;

  __device__ Row(const Sample<T>& c, const Work& work, int64_t n)
      : logits(c.logits + n * c.V),
        penalised(work.penalised ? work.penalised + n * c.V : nullptr),
        part(work.part + n * work.parts),
        parts(work.parts),
        V(c.V) {
    for (int64_t p = 0; p < parts; p++) {
      max = fmaxf(max, part[p].max);
      max_candidate = fmaxf(max_candidate, part[p].max_candidate);
      max_penalised = fmaxf(max_penalised, part[p].max_penalised);
      best = part[p].best > best ? part[p].best : best;
    }
  }

  /// A candidate's logit with the penalty.
  __device__ float operator[](int32_t v) const {
    return penalised ? penalised[v] : ordered(float(logits[v]));
  }

  /// log sum exp(logits / temperature).
  __device__ float lse(float inverse_temperature) const {
    float sum = 0;
    for (int64_t p = 0; p < parts; p++) {
      const bool empty = part[p].max == -HUGE_VALF;  // then only a NaN in the sum is of interest
      sum += part[p].sum * (empty ? 0 : expf((part[p].max - max) * inverse_temperature));
    }
    return fmaf(max, inverse_temperature, logf(sum));
  }
  /// The same at temperature 1, from the logits.
  __device__ float plain_lse() const {
    float sum = 0;
    for (int64_t v = threadIdx.x; v < V; v += blockDim.x) {
      sum += expf(float(logits[v]) - finite_origin(max));
    }
    return max + logf(block_sum(sum));
  }
};

/// A weight in [0, 1] as an integer; what is not a number weighs nothing.
__device__ inline uint64_t amount_of(float weight, const Work& work) {
  return weight > 0 ? uint64_t(weight * work.one) : 0;
}

/// Inverts the cumulative weight of the whole row: finds the part by the masses, then the token.
template <class T>
__device__ int32_t draw_from_all(const Sample<T>& c, const Work& work, const Row<T>& row,
                                 double u) {
  const float inverse = work.inverse_temperature;
  const auto mass = [&](int64_t p) {
    const float shift = (row.part[p].max_penalised - row.max_penalised) * inverse;
    return row.part[p].mass * double(expf(shift));
  };
  double total = 0;
  for (int64_t p = 0; p < row.parts; p++) total += mass(p);
  double reached = 0, before = 0;
  int64_t chosen = 0;
  for (int64_t p = 0; p < row.parts && reached <= u * total; p++) {
    if (mass(p) > 0) {
      chosen = p;
      before = reached;
    }
    reached += mass(p);
  }
  const double within = (u * total - before) / mass(chosen);
  const auto begin = int32_t(chosen * work.part_size);
  const int64_t rest = candidates(c) - begin;
  const float max = row.part[chosen].max_penalised;
  return invert(
      int32_t(rest < work.part_size ? rest : work.part_size), [&](int32_t i) { return begin + i; },
      [&](int32_t v) { return amount_of(expf((row[v] - max) * inverse), work); },
      within < 1 ? within : 1 - 0x1p-53);
}

/// Keeps what the filters keep, and inverts the cumulative weight of that.
template <class T>
__device__ int32_t draw_from_filtered(const Sample<T>& c, const Work& work, const Row<T>& row,
                                      int64_t n, double u) {
  __shared__ Histogram histogram;
  const auto weight = [&](int32_t v) {
    return expf((row[v] - row.max_penalised) * work.inverse_temperature);
  };
  Pool pool{work.list ? work.list + n * c.V : nullptr, int32_t(candidates(c))};
  if (c.top_k > 0 && c.top_k < pool.count) {
    // Logits, not weights: those of unlikely tokens are all 0.
    keep_largest(
        pool, histogram, [&](int32_t v) { return ordered_bits(row[v]); },
        [](int32_t) { return uint64_t(1); }, [&](uint64_t) { return uint64_t(c.top_k); });
  }
  if (c.top_p < 1) {
    keep_largest(
        pool, histogram, [&](int32_t v) { return std::bit_cast<uint32_t>(weight(v)); },
        [&](int32_t v) { return amount_of(weight(v), work); },
        [&](uint64_t sum) {
          const double goal = ceil(double(c.top_p) * double(sum));
          return goal < 1 ? 1 : goal < double(sum) ? uint64_t(goal) : sum;
        });
  }
  return invert(
      pool.count, [&](int32_t i) { return pool[i]; },
      [&](int32_t v) { return weight(v) < c.min_p ? 0 : amount_of(weight(v), work); }, u);
}

constexpr int most_threads = 1024;

template <bool filtered, class T>
__global__ void __launch_bounds__(most_threads) choose_kernel(Sample<T> c, Work work) {
  const int64_t n = blockIdx.x;
  const Row<T> row(c, work, n);
  // Whether float can tell logits / temperature apart: at 2^23 its neighbours differ by one.
  const bool indistinct = !(fabsf(row.max_candidate * work.inverse_temperature) < 1 / FLT_EPSILON);
  const bool greedy = c.temperature == 0 || indistinct;
  auto token = int32_t(~uint32_t(row.best));
  if (!greedy) {
    const PhiloxWords words = random_words(c.seed_of(n), RandomStream::sampling, 0, 0, c.draw[n]);
    const double u = unit_double(words[0], words[1]);
    if constexpr (filtered) {
      token = draw_from_filtered(c, work, row, n, u);
    } else {
      token = draw_from_all(c, work, row, u);
    }
  }
  const float inverse = greedy ? 1 : work.inverse_temperature;
  const float lse = greedy && c.temperature != 0 ? row.plain_lse() : row.lse(inverse);
  if (threadIdx.x != 0) return;
  c.token[n] = token;
  c.log_prob[n] = fmaf(float(row.logits[token]), inverse, -lse);
}

/// 2^44 where that many fit, which is finer than floats of 1.
float integer_one(int64_t V) {
  return std::ldexp(1.0f, std::min(44, 63 - int(std::bit_width(uint64_t(V)))));
}

/// The least power of two of threads, at least a warp, that gives each at most `share` tokens.
int threads_for(int64_t V, int64_t share, int most) {
  int threads = warp_size;
  while (threads < most && threads * share < V) threads *= 2;
  return threads;
}

}  // namespace

template <class T>
void run(Cuda, const Sample<T>& c, Stream stream) {
  if (c.N == 0) return;
  const int64_t allowed = c.candidates > 0 ? c.candidates : c.V;
  const bool selects = (c.top_k > 0 && c.top_k < allowed) || c.top_p < 1;
  const bool penalises = c.history && c.repetition_penalty != 1;
  const int part_threads = threads_for(c.V, per_thread, most_part_threads);
  Work work{.part_size = part_threads * per_thread,
            .inverse_temperature = c.temperature == 0 ? 1.0f : 1.0f / c.temperature,
            .one = integer_one(c.V)};
  work.parts = blocks_for(c.V, work.part_size);
  Workspace memory;
  const auto part = memory.part<Part>(c.N * work.parts);
  const auto penalised = memory.part<float>(penalises ? c.N * c.V : 0);
  const auto list = memory.part<int32_t>(selects ? c.N * c.V : 0);
  memory.allocate(stream);
  work.part = memory[part];
  if (penalises) work.penalised = memory[penalised];
  if (selects) work.list = memory[list];
  launch({"sample_measure", unsigned(c.N * work.parts), part_threads, stream}, measure_kernel<T>, c,
         work);
  if (selects || c.min_p > 0) {
    launch({"sample_filtered", unsigned(c.N), threads_for(c.V, neighbours, most_threads), stream},
           choose_kernel<true, T>, c, work);
  } else {
    launch({"sample", unsigned(c.N), threads_for(work.part_size, neighbours, most_threads), stream},
           choose_kernel<false, T>, c, work);
  }
}

template void run(Cuda, const Sample<float>&, Stream);
template void run(Cuda, const Sample<bf16>&, Stream);

}  // namespace rlhf
