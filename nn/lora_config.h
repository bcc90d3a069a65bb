// What a low-rank adapter is (nn/lora.h), apart from any tensor: under the names of PEFT, and for
// whoever reads files before memory is asked for.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

struct LoraConfig {
  int64_t r = 16;           ///< rank of what is learnt
  double alpha = 32;        ///< numerator of the scale
  double dropout = 0.05;    ///< of what an adapter reads, in training
  bool use_rslora = false;  ///< scale alpha / sqrt(r), which keeps large ranks learning
                            ///< (Kalajdzievski 2023, arXiv:2312.03732), instead of alpha / r
  /// Ends of the names of layers that get an adapter: "c_proj" is both, "attn.c_proj" is one.
  std::vector<std::string> target_modules{"c_attn", "c_proj", "c_fc"};
  /// A language-model head apart from the embedding learns whole beside the adapters: PEFT's
  /// modules_to_save, ["lm_head"].
  bool trains_head = false;
  /// The folder of the model whose weights stay as they are.
  std::string base_model_name_or_path = {};

  double scale() const { return alpha / (use_rslora ? std::sqrt(double(r)) : double(r)); }
  bool operator==(const LoraConfig&) const = default;
};

/// @throws InputError "[what] ..." naming the first field that no adapter can have.
void validate(const LoraConfig& config, std::string_view what);

/// Whether a layer such as "h.0.attn.c_proj" gets an adapter.
bool is_target(const LoraConfig& config, const std::string& layer);

/// Calls f(name, in, out) for each layer of a trunk of that shape which gets an adapter, under the
/// names that Gpt2 has ("h.0.attn.c_attn"). @throws InputError "[what] ..." when a target is the
/// name of no layer.
void for_each_target(
    const LoraConfig& config, int64_t n_layer, int64_t n_embd, std::string_view what,
    const std::function<void(const std::string& name, int64_t in, int64_t out)>& f);

}  // namespace rlhf
