#include "nn/lora.h"

#include <algorithm>

#include "kernels/add.h"
#include "kernels/gemm.h"
#include "kernels/run.h"
#include "nn/gpt2.h"
#include "nn/init.h"

namespace rlhf {
namespace {

/// Calls f("attn.c_attn", layer) for each linear layer of a block.
template <class F>
void for_each_linear(Block& block, F&& f) {
  f("attn.c_attn", block.attn.c_attn);
  f("attn.c_proj", block.attn.c_proj);
  f("mlp.c_fc", block.mlp.c_fc);
  f("mlp.c_proj", block.mlp.c_proj);
}

template <class F>
void for_each_linear(Gpt2& model, F&& f) {
  for (size_t layer = 0; layer < model.h.size(); layer++) {
    for_each_linear(model.h[layer], [&](const char* name, Linear& linear) {
      f(fmt::format("h.{}.{}", layer, name), linear);
    });
  }
}

bool is_zero(const Tensor& tensor) {
  const std::vector<float> values = tensor.to(DType::f32).to_vector<float>();
  return std::all_of(values.begin(), values.end(), [](float x) { return x == 0; });
}

}  // namespace

void add_adapters(Gpt2& model, const LoraConfig& config, uint64_t seed) {
  check(!model.lora, "lora", "expected a model without adapters, got one with some");
  for_each_target(config, model.config.n_layer, model.config.n_embd, "--lora_target_modules",
                  [](const std::string&, int64_t, int64_t) {});
  // GPT-2's own dropout has the sites below.
  uint32_t site = 1u << 24;
  for_each_linear(model, [&](const std::string& name, Linear& linear) {
    site++;
    if (!is_target(config, name)) return;
    const int64_t in = linear.weight.shape()[0], out = linear.weight.shape()[1];
    Tensor a = Tensor::empty({config.r, in}, DType::f32);
    fill_uniform(a, 1 / std::sqrt(double(in)), seed, name + ".lora_A.weight");
    linear.lora = {
        .a = placed(a, {linear.weight.device(), linear.weight.dtype()}),
        .b = Tensor::zeros({out, config.r}, linear.weight.dtype(), linear.weight.device()),
        .scale = float(config.scale()),
        .dropout = float(config.dropout),
        .site = site};
  });
  model.lora = config;
}

void train_head(Gpt2& model) {
  check(model.lora.has_value(), "lora", "expected a model with adapters, got one without");
  if (model.lora->trains_head) return;
  model.lm_head = copy_of(Embedding{model.head()});
  model.lora->trains_head = true;
}

void merge_adapters(Gpt2& model) {
  // A product of rounded numbers that is rounded again is off by more than its last digit.
  const auto widened = [](const Tensor& x) {
    const Tensor exact = x.rounded_from();
    if (exact.defined()) return exact.to(x.device());
    return x.dtype() == DType::bf16 ? x.to(DType::f32) : x;
  };
  for_each_linear(model, [&](const std::string&, Linear& linear) {
    if (!linear.lora.defined()) return;
    const Tensor weight = widened(linear.weight);
    const Tensor a = widened(linear.lora.a), b = widened(linear.lora.b);
    const Tensor sum = Tensor::empty(weight.shape(), weight.dtype(), weight.device());
    const Tensor scaled = Tensor::empty(b.shape(), b.dtype(), b.device());
    sum.copy_from(weight);
    dispatch(weight.dtype(), [&](auto t) {
      using T = decltype(t);
      run(b.device(), ScaleInto<T>{{scaled.data<T>()}, b.data<T>(), linear.lora.scale, b.count()});
      run(weight.device(), Gemm<T>{.out = sum.data<T>(),
                                   .accumulate = true,
                                   .a = a.data<T>(),
                                   .b = scaled.data<T>(),
                                   .M = weight.shape()[0],
                                   .N = weight.shape()[1],
                                   .K = a.shape()[0],
                                   .transpose_a = true,
                                   .transpose_b = true});
    });
    linear.weight = sum.to(linear.weight.dtype());
    linear.lora = {};
  });
  model.lora.reset();
}

Gpt2 shared_copy(const Gpt2& model) {
  Gpt2 copy = model;
  for_each_linear(copy, [&](const std::string&, Linear& linear) {
    if (linear.lora.defined()) linear.lora = copy_of(linear.lora);
  });
  if (copy.lora && copy.lora->trains_head) copy.lm_head = copy_of(copy.lm_head);
  return copy;
}

Gpt2 reference_policy(const Gpt2& policy) {
  if (!policy.lora) return frozen_copy(policy);
  Gpt2 reference = shared_copy(policy);
  bool fresh = true;
  for_each_linear(reference, [&](const std::string&, Linear& linear) {
    fresh = fresh && (!linear.lora.defined() || is_zero(linear.lora.b));
  });
  if (!fresh) return reference;
  for_each_linear(reference, [](const std::string&, Linear& linear) { linear.lora = {}; });
  reference.lora.reset();
  return reference;
}

bool FrozenBases::is_adapter(std::string_view name) {
  return name.ends_with(".lora_A.weight") || name.ends_with(".lora_B.weight");
}

}  // namespace rlhf
