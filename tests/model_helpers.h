// Tiny models for tests, far from the usual initialisation: with biases, norms and attention that
// matter, so that a wrong term in any of them shows.
#pragma once

#include <string>
#include <vector>

#include "kernels/philox.h"
#include "nn/init.h"
#include "nn/module.h"
#include "nn/token_batch.h"

namespace rlhf {

/// Draws every parameter from N(0, deviation^2), norms' weights around 1.
template <class Module>
void randomise(Module& model, uint64_t seed, double deviation) {
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    fill_normal(tensor, deviation, seed, name);
    if (name.find("ln_") == std::string::npos || !name.ends_with("weight")) return;
    dispatch_accumulator(tensor.dtype(), [&](auto t) {
      for (int64_t i = 0; i < tensor.count(); i++) tensor.data<decltype(t)>()[i] += 1;
    });
  });
}

/// `count` sequences of 1 + (some number below `longest`) tokens.
inline std::vector<Tokens> random_sequences(size_t count, int64_t longest, int64_t vocabulary,
                                            uint64_t seed) {
  std::vector<Tokens> sequences(count);
  for (size_t s = 0; s < count; s++) {
    const auto word = [&](uint64_t i) {
      return random_words(seed, RandomStream::corpus, uint32_t(s), 0, i)[0];
    };
    sequences[s].resize(1 + word(0) % size_t(longest));
    for (size_t t = 0; t < sequences[s].size(); t++) {
      sequences[s][t] = int32_t(word(t + 1) % uint64_t(vocabulary));
    }
  }
  return sequences;
}

}  // namespace rlhf
