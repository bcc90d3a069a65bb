// GPT-2 (Radford et al. 2019), the trunk that every model here shares, and its two heads: logits of
// the next token, through the token embedding or a matrix of their own, and one scalar per token
// (rewards, values).
#pragma once

#include <optional>
#include <vector>

#include "nn/gpt2_config.h"
#include "nn/layers.h"
#include "nn/module.h"
#include "nn/token_batch.h"

namespace rlhf {

/// Keys and values of every layer for B sequences, each filled to a length of its own.
struct KvCache {
  std::vector<KvCacheLayer> layers;  ///< (B, capacity, C)
  std::vector<int32_t> length;       ///< (B)
  int64_t capacity = 0;

  /// On the host. @throws Error when there is no room for so many.
  KvPlaces places(int64_t T) const;
};

struct Gpt2 {
  Gpt2Config config;
  Embedding wte;  ///< (V, C) token embedding, also the language-model head unless there is another
  Embedding wpe;  ///< (P, C) position embedding
  std::vector<Block> h;
  LayerNorm ln_f;
  Embedding lm_head = {};  ///< (V, C) a language-model head apart from wte; undefined: tied to it
  /// Training keeps only the input of each block and computes the rest again in the backward pass:
  /// less memory, about a forward pass more time, the same bits.
  bool gradient_checkpointing = false;
  /// What the adapters of its linear layers are, where it has any (nn/lora.h).
  std::optional<LoraConfig> lora = {};

  /// Final hidden states (B*T, C); the batch may be on any device. Dropout is active iff `training`
  /// is given, memory of the model's device (Mirror); its draw counter says which random numbers.
  Tensor operator()(const TokenBatch& batch, const StepState* training = nullptr) const;

  /// The same for T new tokens (B, T) of sequences whose prefix is in the cache; appends them. The
  /// caller advances cache.length by as many of them as were real. No gradient, no dropout.
  Tensor extend(const TokenBatch& batch, const KvCache& cache) const;
  /// The same at places given, of which the host needs to know nothing; with several of them the
  /// batch's tokens are theirs one after the other (cached_attention), whatever its shape.
  Tensor extend(const TokenBatch& batch, const KvCache& cache, std::vector<KvPlaces> places) const;

  KvCache make_cache(int64_t B, int64_t capacity) const;

  /// Logits of the next token behind each hidden state (N, C): (N, V).
  Tensor logits(const Tensor& hidden) const;
  /// token_log_prob by the head, for who wants no gradient: (N).
  Tensor log_prob(const Tensor& hidden, const Tensor& target, float temperature = 1) const;

  /// The language-model head, (V, C): what losses read.
  /// @throws Error when its weights are narrow: then there are logits and log_prob alone.
  const Tensor& head() const;
  bool tied() const { return !lm_head.defined(); }
  /// Gives it a head of its own that starts as a copy of the embedding, if it has none.
  void untie();
  /// The same memory without a head of its own: what reward models and critics are made of.
  Gpt2 without_head() const;
  DType dtype() const { return wpe.weight.dtype(); }
  Device device() const { return wpe.weight.device(); }
  Placement placement() const { return {device(), dtype()}; }

  void visit(auto&& v) {
    v("wte", wte);
    v("wpe", wpe);
    v("h", h);
    v("ln_f", ln_f);
    v("lm_head", lm_head);
  }

 private:
  const Embedding& head_table() const { return tied() ? wte : lm_head; }
  Tensor embed(const TokenBatch& batch) const;
  Tensor forward(const TokenBatch& batch, const StepState* training,
                 const std::function<Tensor(const Tensor& qkv, size_t layer)>& attend) const;
};

/// The trunk under the names of Hugging Face's GPT2LMHeadModel, but for a head of its own, which a
/// file has beside the trunk (rl/model/model_folder.cpp).
struct LanguageModel {
  Gpt2 transformer;
  const Tensor& head() const { return transformer.head(); }
  void visit(auto&& v) { v("transformer", transformer); }
};

/// A linear map from hidden states to one number, without a bias.
struct ScoreHead {
  Tensor weight;  ///< (1, C)
  /// (N) from (N, C), in float where the model is bfloat16: 8 bits would not tell rewards apart.
  Tensor operator()(const Tensor& hidden) const {
    const Tensor w = to_accumulator(weight, /*parameter=*/true);
    return linear(to_accumulator(hidden), w, {}, /*transposed=*/true)
        .reshape({hidden.shape().rows()});
  }
  void visit(auto&& v) { v("weight", weight); }
};

/// One scalar per token, under the names of Hugging Face's GPT2ForSequenceClassification with one
/// label: a reward model reads it at the last token, a critic at every token.
///
/// What a reward model's users see is reward = gain * score + bias (Ziegler et al. 2019, section
/// 2.1: mean 0 and variance 1 over the policy's responses). Neither is a parameter: nothing trains
/// them, and the score alone is what losses and critics are about.
struct ScalarModel {
  Gpt2 transformer;
  ScoreHead score;
  double gain = 1;
  double bias = 0;
  void visit(auto&& v) {
    v("transformer", transformer);
    v("score", score);
  }
};

/// A trunk of that shape on the CPU whose parameters have no values yet: to be initialised or
/// loaded. @throws InputError when the configuration is impossible.
Gpt2 empty_gpt2(const Gpt2Config& config, DType dtype = DType::f32);

/// A randomly initialised trunk (init.h), on the CPU: move_parameters takes it elsewhere.
Gpt2 make_gpt2(const Gpt2Config& config, uint64_t seed, DType dtype = DType::f32);

/// A head drawn from N(0, 1/(C+1)) for a reward (Stiennon et al. 2020), or all zero for a value
/// (Ziegler et al. 2019).
ScoreHead make_score_head(const Gpt2& trunk, uint64_t seed, bool zero);

}  // namespace rlhf
