#include "nn/lora_config.h"

#include <algorithm>
#include <set>

#include "core/check.h"

namespace rlhf {
namespace {

// PEFT holds names against the whole of "transformer.h.0.attn.c_attn".
bool ends_with_name(const std::string& name, std::string_view target) {
  const std::string layer = "transformer." + name;
  return layer == target || (layer.size() > target.size() && layer.ends_with(target) &&
                             layer[layer.size() - target.size() - 1] == '.');
}

}  // namespace

void validate(const LoraConfig& config, std::string_view what) {
  if (config.r < 1) input_error(what, "expected a rank r of at least 1, got {}", config.r);
  if (!(config.alpha > 0) || !std::isfinite(config.scale())) {
    input_error(what, "expected lora_alpha above 0, got {}", config.alpha);
  }
  if (!(config.dropout >= 0 && config.dropout < 1)) {
    input_error(what, "expected lora_dropout from 0 to below 1, got {}", config.dropout);
  }
  if (config.target_modules.empty()) {
    input_error(what, "expected names of layers as target_modules, got none");
  }
}

bool is_target(const LoraConfig& config, const std::string& layer) {
  return std::any_of(config.target_modules.begin(), config.target_modules.end(),
                     [&](const std::string& target) { return ends_with_name(layer, target); });
}

void for_each_target(
    const LoraConfig& config, int64_t n_layer, int64_t n_embd, std::string_view what,
    const std::function<void(const std::string& name, int64_t in, int64_t out)>& f) {
  struct Kind {
    const char* name;
    int64_t in, out;
  };
  const int64_t C = n_embd;
  const Kind kinds[] = {{"attn.c_attn", C, 3 * C},
                        {"attn.c_proj", C, C},
                        {"mlp.c_fc", C, 4 * C},
                        {"mlp.c_proj", 4 * C, C}};
  std::set<std::string> met;
  for (int64_t layer = 0; layer < n_layer; layer++) {
    for (const Kind& kind : kinds) {
      const std::string name = fmt::format("h.{}.{}", layer, kind.name);
      if (is_target(config, name)) f(name, kind.in, kind.out);
      for (const std::string& target : config.target_modules) {
        if (ends_with_name(name, target)) met.insert(target);
      }
    }
  }
  for (const std::string& target : config.target_modules) {
    if (!met.contains(target)) {
      input_error(what, "expected layers such as c_attn, c_proj, c_fc, got \"{}\"", target);
    }
  }
}

}  // namespace rlhf
