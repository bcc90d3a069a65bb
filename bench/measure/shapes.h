// Shapes of GPT-2 by name, for models with random weights: speed does not depend on what they say.
#pragma once

#include <string>
#include <vector>

#include "nn/gpt2_config.h"

namespace rlhf::bench {

struct NamedShape {
  std::string name;
  Gpt2Config config;  ///< without dropout
};

/// From the smallest to the largest.
const std::vector<NamedShape>& named_shapes();

/// @throws InputError "[what] ..." listing the names there are.
const NamedShape& named_shape(const std::string& name, const std::string& what);

/// How many ids a token may have: an embedding padded to a rounder number has rows behind them.
int64_t id_count(const Gpt2Config& config);

}  // namespace rlhf::bench
