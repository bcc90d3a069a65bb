// A --config file: an object of plain values and lists of them, whichever way it is written.
#include "apps/config_file.h"

#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(config_file) {
  using namespace rlhf;
  const auto path = fuzz::file_with("config.yaml", bytes);
  const auto config = fuzz::accepted([&] { return read_config_file(path); });
  if (!config) return;
  fuzz::expect(config->is_object(), "a config is an object");
  for (const auto& value : *config) {
    if (!value.is_structured()) continue;
    fuzz::expect(value.is_array(), "what is no plain value is a list");
    for (const auto& element : value) fuzz::expect(!element.is_structured(), "of plain values");
  }
  const auto again = read_config_file(fuzz::file_with("config.json", config->dump()));
  fuzz::expect(again == *config, "a config reads alike as JSON");
}
