#include "bench/measure/shapes.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/check.h"

namespace rlhf::bench {
namespace {

NamedShape shape(const char* name, int64_t vocab_size, int64_t n_positions, int64_t n_layer,
                 int64_t n_head, int64_t n_embd) {
  Gpt2Config config{.vocab_size = vocab_size,
                    .n_positions = n_positions,
                    .n_embd = n_embd,
                    .n_layer = n_layer,
                    .n_head = n_head};
  config.set_dropout(0);
  return {name, config};
}

}  // namespace

const std::vector<NamedShape>& named_shapes() {
  static const std::vector<NamedShape> shapes{
      shape("demo", 1024, 64, 3, 4, 128),               // of `rlhf demo`
      shape("char-cpu", 67, 64, 4, 4, 128),             // nanoGPT's tiny Shakespeare on a CPU
      shape("char-gpu", 67, 256, 6, 6, 384),            // ... and on a GPU: 10.6 million parameters
      shape("gpt2", 50257, 1024, 12, 12, 768),          // 124 million
      shape("gpt2-medium", 50257, 1024, 24, 16, 1024),  // 355 million
  };
  return shapes;
}

const NamedShape& named_shape(const std::string& name, const std::string& what) {
  std::vector<std::string> names;
  for (const NamedShape& shape : named_shapes()) {
    if (shape.name == name) return shape;
    names.push_back(shape.name);
  }
  input_error(what, "expected one of {}, got \"{}\"", fmt::join(names, ", "), name);
}

int64_t id_count(const Gpt2Config& config) {
  return config.sampled_ids > 0 ? config.sampled_ids : config.vocab_size;
}

}  // namespace rlhf::bench
