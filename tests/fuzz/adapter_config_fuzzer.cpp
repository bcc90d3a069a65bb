// adapter_config.json of an adapter folder.
#include "rl/model/adapter_config.h"

#include <cmath>

#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(adapter_config) {
  using namespace rlhf;
  const std::string text(bytes);
  const auto config = fuzz::accepted([&] { return parse_adapter_config(text, "config"); });
  if (!config) return;
  const LoraConfig& lora = config->lora;
  fuzz::expect(lora.r >= 1 && std::isfinite(lora.scale()), "the scale is a number");
  fuzz::expect(lora.dropout >= 0 && lora.dropout < 1, "dropout leaves something");
  fuzz::expect(!(lora.trains_head && config->scalar), "a reward model has one head");
  fuzz::accepted([&] {
    for_each_target(lora, 2, 8, "config", [&](const std::string& name, int64_t, int64_t) {
      fuzz::expect(is_target(lora, name), "targets are what the names say");
    });
    return true;
  });
}
