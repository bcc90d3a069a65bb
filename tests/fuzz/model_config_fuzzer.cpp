// config.json ==== generation_config.json ==== model.safetensors.index.json of a model folder.
#include "rl/model/model_config.h"

#include <map>

#include "rl/model/model_weights.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(model_config) {
  using namespace rlhf;
  const auto files = fuzz::files_in(bytes, 3);
  const auto config = fuzz::accepted([&] { return parse_model_config(*files[0], "config.json"); });
  if (config) {
    const Gpt2Config& shape = config->shape;
    fuzz::expect(shape.n_embd % shape.n_head == 0, "heads share the channels");
  }
  if (files[1]) {
    const auto ids = fuzz::accepted([&] { return parse_eos_ids(*files[1], 100, "generation"); });
    if (ids) {
      for (const int32_t id : *ids) fuzz::expect(id >= 0 && id < 100, "ids are of the vocabulary");
    }
  }
  if (!files[2]) return;
  const auto index = fuzz::accepted([&] { return parse_weight_index(*files[2], "index"); });
  if (!index) return;
  for (const auto& [name, file] : *index) {
    fuzz::expect(file.find('/') == file.npos && file != "..", "files lie within the folder");
  }
}
