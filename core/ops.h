// Every differentiable operation, one declaration and formula each. An op runs its forward contract
// and records the backward one; its definition is in core/ops/<stem>.cpp, and the stem is that of
// the contract in kernels/. Shapes: B sequences of T tokens are N = B*T rows; C channels, H heads,
// V tokens in the vocabulary.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/narrow_matrix.h"
#include "core/tape.h"
#include "core/tensor.h"
#include "kernels/activation.h"
#include "kernels/divergence.h"
#include "kernels/kl_loss.h"
#include "kernels/philox.h"
#include "kernels/preference_loss.h"
#include "kernels/reward_loss.h"

namespace rlhf {

/// x (..., in) . weight (in, out) [+ bias (out)]; weight is (out, in) when `transposed`. (gemm)
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              bool transposed = false);

/// What a low-rank adapter adds to a linear layer (Hu et al. 2021, equation 3).
struct LowRank {
  Tensor x;  ///< (..., in): what the layer reads, or dropout of it
  Tensor a;  ///< (r, in)
  Tensor b;  ///< (out, r)
  float scale;
};

/// x . weight + bias + scale * (adapter.x . a^T) . b^T. The last product adds to what the first has
/// written, without a pass of its own; no weight of (in, out) is ever formed. (gemm)
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, const LowRank& adapter);

/// linear(gelu(linear(x, fc)), proj), the same bits on the CPU. One op, so that gelu and its
/// derivative are computed inside the products on either side of it. (gemm)
Tensor mlp(const Tensor& x, const Tensor& fc_weight, const Tensor& fc_bias,
           const Tensor& proj_weight, const Tensor& proj_bias);

/// x (..., in) . weight (in, out) [+ bias (out)], and gelu of that where asked for. In float; not
/// differentiable. (narrow_gemm)
Tensor linear(const Tensor& x, const NarrowMatrix& weight, const Tensor& bias = {},
              bool gelu = false);

/// x as float where it is bfloat16, else x itself. `parameter` says that its gradient is one of a
/// parameter, and so kept in float. (convert)
Tensor to_accumulator(const Tensor& x, bool parameter = false);

/// a + scale * b, of equal shapes. (add)
Tensor add(const Tensor& a, const Tensor& b, float scale = 1);

/// (x - mean) / sqrt(var + eps) * weight + bias over the last axis. (layer_norm)
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, float eps);

struct NormedSum {
  Tensor sum;
  Tensor normed;
};

/// a + b and layer_norm(a + b), of equal shapes, in one pass over memory. (layer_norm)
NormedSum add_layer_norm(const Tensor& a, const Tensor& b, const Tensor& weight, const Tensor& bias,
                         float eps);

/// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). (gelu)
Tensor gelu(const Tensor& x);

/// tanh(x) or max(x, 0). (activation)
Tensor activation(const Tensor& x, ActivationKind kind);

/// token_table[token] + position_table[position]: (N, C) from i32 (N) twice. (embedding)
Tensor embedding(const Tensor& token, const Tensor& position, const Tensor& token_table,
                 const Tensor& position_table);

/// The same with the token table as a head has it, (C, V). In float; not differentiable.
/// (narrow_gemm)
Tensor embedding(const Tensor& token, const Tensor& position, const NarrowMatrix& token_table,
                 const Tensor& position_table);

/// Zeroes with `probability` and divides the rest by 1 - probability; the identity when it is 0.
Tensor dropout(const Tensor& x, float probability, const RandomSite& site);

/// Which keys a query may see; undefined tensors mean causal from the first. i32 (B, T) each.
struct AttentionSpan {
  Tensor begin;
  Tensor end;
};

/// Causal multi-head attention of a packed qkv (B, T, 3C): (B, T, C). (attention)
Tensor attention(const Tensor& qkv, int64_t heads, const AttentionSpan& span, float dropout,
                 const RandomSite& site);

/// Keys and values of the tokens seen so far: (B, capacity, C) each.
struct KvCacheLayer {
  Tensor keys;
  Tensor values;
};

/// Where T new tokens of each of B sequences go in a cache.
struct KvPlaces {
  Tensor length;    ///< i32 (B): tokens of each sequence already there
  Tensor end;       ///< i32 (B, T): behind the last key that each new token sees, length + t + 1
  Tensor row = {};  ///< i32 (B): the cache's row that each sequence lives in; undefined: row b
};

/// Appends the new tokens' keys and values and attends from the new queries to everything up to and
/// including themselves: (N, C) from a packed qkv (N, 3C). Not differentiable. (kv_cache)
/// The N tokens are those of the first places, sequence by sequence, then those of the second, ...:
/// sequences with different numbers of new tokens, each of them in one place.
Tensor cached_attention(const Tensor& qkv, int64_t heads, const KvCacheLayer& cache,
                        std::span<const KvPlaces> places);

struct TokenLogProb {
  Tensor log_prob;  ///< (N)
  Tensor entropy;   ///< (N), undefined unless asked for
};

/// log softmax(x . head^T / temperature)[target] of each row, and the entropy of that distribution.
/// x (N, C), head (V, C), target i32 (N); rows with target < 0 are ignored and give 0. Minus the
/// weighted sum of log_prob is cross-entropy. (log_prob)
///
/// Logits of at most `keep_bytes` stay until the backward, which writes their gradient over them.
/// More exist for a chunk of rows at a time only and are computed again: memory is O(chunk * V)
/// instead of O(N * V). Absent: 0 on the CPU, 8 GiB on a GPU.
TokenLogProb token_log_prob(const Tensor& x, const Tensor& head, const Tensor& target,
                            float temperature = 1, bool with_entropy = false,
                            std::optional<size_t> keep_bytes = {});

/// The same log_prob by a head that nobody trains, (C, V). Not differentiable. (log_prob)
Tensor token_log_prob(const Tensor& x, const NarrowMatrix& head, const Tensor& target,
                      float temperature = 1);

/// KL(q, p) or KL(p, q) of each row, with p = softmax(x . head^T / temperature) and q =
/// softmax(ref_x . ref_head^T / temperature) over the whole vocabulary: (N). x (N, C), head (V, C);
/// of the reference another C and the same V, and no gradient. Logits exist for a chunk of rows at
/// a time only, twice. (divergence)
Tensor divergence(const Tensor& x, const Tensor& head, const Tensor& ref_x, const Tensor& ref_head,
                  DivergenceKind kind, float temperature = 1);

/// log softmax(logits)[action] of each row, and the entropy of that distribution, from logits (N,
/// V) of few classes that exist already: the policies of classical control. action i32 (N); rows
/// with action < 0 are ignored and give 0. (log_prob)
TokenLogProb categorical(const Tensor& logits, const Tensor& action);

/// sum_i weight_i x_i: (1). Weights are constants. (reduce)
Tensor weighted_sum(const Tensor& x, const Tensor& weight);

/// Sum, or mean, of x over [begin[s], end[s]): (S) from (N) and ordered, disjoint i32 (S) twice.
/// (segment_sum)
Tensor segment_sum(const Tensor& x, const Tensor& begin, const Tensor& end, bool mean = false);

/// x[row[n]]: (N, C) from (rows, C) and i32 (N). (gather)
Tensor gather(const Tensor& x, const Tensor& row);

/// The clipped surrogate of PPO per token; dual_clip and log_ratio_clamp 0: off; clip_high 0: as
/// clip. (ppo_loss)
Tensor ppo_policy_loss(const Tensor& log_prob, const Tensor& old_log_prob, const Tensor& advantage,
                       float clip, float dual_clip = 0, float log_ratio_clamp = 0,
                       float clip_high = 0);

/// An estimate of KL(pi, ref) per token, as a loss. (kl_loss)
Tensor kl_loss(const Tensor& log_prob, const Tensor& ref_log_prob, KlLossKind kind,
               float log_ratio_clamp = 0, float clamp = 0);

/// The clipped squared error of PPO per token; clip 0: not clipped. (ppo_loss)
Tensor ppo_value_loss(const Tensor& value, const Tensor& old_value, const Tensor& target,
                      float clip);

/// -log sigmoid(chosen - rejected - margin) + centering (chosen + rejected)^2. (reward_loss)
Tensor pairwise_loss(const Tensor& chosen, const Tensor& rejected, const Tensor& margin,
                     float centering);

/// Binary cross-entropy of sigmoid(reward), half the squared error, or Huber's. (reward_loss)
Tensor pointwise_loss(const Tensor& reward, const Tensor& label, PointwiseKind kind);

/// A loss of beta ((chosen - ref_chosen) - (rejected - ref_rejected)) - gamma: (count) from the
/// log-probabilities of completions. Both references undefined: without one. (preference_loss)
Tensor preference_loss(const Tensor& chosen, const Tensor& rejected, const Tensor& ref_chosen,
                       const Tensor& ref_rejected, const PreferenceLossForm& form);

/// -log sigmoid(log odds(chosen) - log odds(rejected)) of mean log-probabilities. (preference_loss)
Tensor odds_ratio_loss(const Tensor& chosen, const Tensor& rejected);

/// weight (1 - sigmoid(+-beta (log_prob - ref - kl))), + where label is 1: KTO's. (preference_loss)
Tensor prospect_loss(const Tensor& log_prob, const Tensor& ref, const Tensor& label,
                     const Tensor& kl, float beta, float desirable_weight,
                     float undesirable_weight);

}  // namespace rlhf
