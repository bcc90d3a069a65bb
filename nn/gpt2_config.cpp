#include "nn/gpt2_config.h"

#include <fmt/core.h>

namespace rlhf {

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
