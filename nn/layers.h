// The layers of GPT-2 as plain structs of tensors (Radford et al. 2019). Weights are stored (in,
// out), the layout of the published checkpoints ("Conv1D").
#pragma once

#include <functional>

#include "nn/lora.h"

namespace rlhf {

struct Linear {
  Tensor weight;   ///< (in, out)
  Tensor bias;     ///< (out)
  Lora lora = {};  ///< undefined: none
  NarrowMatrix narrow =
      {};  ///< in place of weight (nn/narrow_weights.h); undefined: weight is there
  /// `training` as in Gpt2: an adapter has a dropout of its own.
  Tensor operator()(const Tensor& x, const StepState* training = nullptr) const {
    if (narrow.defined()) return linear(x, narrow, bias);
    if (!lora.defined()) return linear(x, weight, bias);
    return linear(x, weight, bias, lora.term(x, training));
  }
  void visit(auto&& v) {
    v("weight", weight);
    v("bias", bias);
    lora.visit(v);
  }
};

struct Embedding {
  Tensor weight;             ///< (entries, C)
  NarrowMatrix narrow = {};  ///< in place of weight, (C, entries); undefined: weight is there
  bool defined() const { return weight.defined() || narrow.defined(); }
  void visit(auto&& v) { v("weight", weight); }
};

/// The residual stream x + branch, (N, C): what the last layer computed is not added yet, so that
/// the norm which reads the sum next can do both in one pass over memory.
struct Residual {
  Tensor x;
  Tensor branch = {};  ///< undefined when nothing waits
  Tensor sum() const { return branch.defined() ? add(x, branch) : x; }
};

struct LayerNorm {
  Tensor weight;  ///< (C)
  Tensor bias;    ///< (C)
  float eps = 1e-5f;
  /// The norm of the stream, in which nothing waits afterwards.
  Tensor operator()(Residual& stream) const {
    if (!stream.branch.defined()) return layer_norm(stream.x, weight, bias, eps);
    const NormedSum result = add_layer_norm(stream.x, stream.branch, weight, bias, eps);
    stream = {result.sum};
    return result.normed;
  }
  void visit(auto&& v) {
    v("weight", weight);
    v("bias", bias);
  }
};

/// From a packed qkv (N, 3C) to what each token gathered from the others (N, C): training attention
/// over a batch, or attention against a cache.
using Attend = std::function<Tensor(const Tensor& qkv)>;
/// Dropout, or nothing outside of training.
using Drop = std::function<Tensor(const Tensor& x)>;

struct Attention {
  Linear c_attn;  ///< (C, 3C): q, k, v side by side
  Linear c_proj;  ///< (C, C)
  Tensor operator()(const Tensor& x, const Attend& attend, const StepState* training) const {
    return c_proj(attend(c_attn(x, training)), training);
  }
  void visit(auto&& v) {
    v("c_attn", c_attn);
    v("c_proj", c_proj);
  }
};

struct Mlp {
  Linear c_fc;    ///< (C, 4C)
  Linear c_proj;  ///< (4C, C)
  Tensor operator()(const Tensor& x, const StepState* training) const {
    if (c_fc.narrow.defined()) return c_proj(linear(x, c_fc.narrow, c_fc.bias, /*gelu=*/true));
    // What an adapter adds comes before gelu: then gelu cannot be part of the first product.
    if (c_fc.lora.defined() || c_proj.lora.defined()) {
      return c_proj(gelu(c_fc(x, training)), training);
    }
    return mlp(x, c_fc.weight, c_fc.bias, c_proj.weight, c_proj.bias);
  }
  void visit(auto&& v) {
    v("c_fc", c_fc);
    v("c_proj", c_proj);
  }
};

/// x + attention(norm(x)), then x + mlp(norm(x)).
struct Block {
  LayerNorm ln_1;
  Attention attn;
  LayerNorm ln_2;
  Mlp mlp;
  Residual operator()(Residual stream, const Attend& attend, const Drop& drop_attention,
                      const Drop& drop_mlp, const StepState* training) const {
    stream.branch = drop_attention(attn(ln_1(stream), attend, training));
    stream.branch = drop_mlp(mlp(ln_2(stream), training));
    return stream;
  }
  void visit(auto&& v) {
    v("ln_1", ln_1);
    v("attn", attn);
    v("ln_2", ln_2);
    v("mlp", mlp);
  }
};

}  // namespace rlhf
