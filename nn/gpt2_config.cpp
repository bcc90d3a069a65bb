#include "nn/gpt2_config.h"

#include <fmt/core.h>

#include "core/check.h"

namespace rlhf {

void Gpt2Config::validate(std::string_view what) const {
  // Far above any GPT-2, and low enough that no product of two of them overflows.
  static constexpr int64_t kMost = int64_t{1} << 24;
  const auto positive = [&](const char* name, int64_t value) {
    if (value < 1 || value > kMost) {
      input_error(what, "expected {} from 1 to {}, got {}", name, kMost, value);
    }
  };
  const auto probability = [&](const char* name, float value) {
    if (!(value >= 0 && value < 1)) {
      input_error(what, "expected {} from 0 to below 1, got {}", name, value);
    }
  };
  positive("vocab_size", vocab_size);
  positive("n_positions", n_positions);
  positive("n_embd", n_embd);
  positive("n_layer", n_layer);
  positive("n_head", n_head);
  probability("embd_pdrop", embd_pdrop);
  probability("attn_pdrop", attn_pdrop);
  probability("resid_pdrop", resid_pdrop);
  if (!(layer_norm_epsilon > 0 && layer_norm_epsilon < 1)) {
    input_error(what, "expected layer_norm_epsilon above 0 and below 1, got {}",
                layer_norm_epsilon);
  }
  if (n_embd % n_head != 0) {
    input_error(what, "expected n_embd divisible by n_head, got {} and {}", n_embd, n_head);
  }
}

void for_each_parameter_shape(const Gpt2Config& config,
                              const std::function<void(const std::string&, const Shape&)>& f) {
  const int64_t C = config.n_embd;
  f("wte.weight", {config.vocab_size, C});
  f("wpe.weight", {config.n_positions, C});
  const auto with_bias = [&](const std::string& name, const Shape& weight) {
    f(name + ".weight", weight);
    f(name + ".bias", {weight[-1]});
  };
  for (int64_t layer = 0; layer < config.n_layer; layer++) {
    const std::string block = fmt::format("h.{}.", layer);
    with_bias(block + "ln_1", {C});
    with_bias(block + "attn.c_attn", {C, 3 * C});
    with_bias(block + "attn.c_proj", {C, C});
    with_bias(block + "ln_2", {C});
    with_bias(block + "mlp.c_fc", {C, 4 * C});
    with_bias(block + "mlp.c_proj", {4 * C, C});
  }
  with_bias("ln_f", {C});
}

}  // namespace rlhf
