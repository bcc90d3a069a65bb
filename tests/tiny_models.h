// Models small enough to train in a test, and the few things that tests of rl/ ask of them.
#pragma once

#include <string>
#include <vector>

#include "data/char_tokenizer.h"
#include "nn/gpt2.h"
#include "rl/rollout.h"
#include "tests/message_of.h"
#include "tests/threads.h"

namespace rlhf {

inline Gpt2Config tiny_config(int64_t vocab_size, int64_t n_positions = 24) {
  Gpt2Config config{.vocab_size = vocab_size,
                    .n_positions = n_positions,
                    .n_embd = 16,
                    .n_layer = 2,
                    .n_head = 2,
                    .initializer_range = 0.2f};  // far from uniform, so that order matters
  config.set_dropout(0);
  return config;
}

/// Letters a to h, a space and a full stop: 12 tokens with the end and the pad token.
inline CharTokenizer tiny_tokenizer() {
  const std::vector<std::string> corpus{"abcdefgh ."};
  return CharTokenizer::train(corpus);
}

/// All parameters as floats, one after another.
template <class Module>
std::vector<float> parameters_of(Module& module) {
  std::vector<float> all;
  for_each_parameter(module, [&](const std::string&, Tensor& tensor) {
    const std::vector<float> values = tensor.to(DType::f32).to_vector<float>();
    all.insert(all.end(), values.begin(), values.end());
  });
  return all;
}

}  // namespace rlhf
