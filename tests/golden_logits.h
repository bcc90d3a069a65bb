// Language models beside the same ones in transformers: tests/data/*_golden/golden.json has some
// sequences, and the logits of the token after each.
#pragma once

#include <gtest/gtest.h>

#include "core/ops.h"
#include "nn/gpt2.h"
#include "tests/files.h"

namespace rlhf {

inline std::vector<Tokens> golden_sequences(const nlohmann::json& golden) {
  return golden["sequences"].get<std::vector<Tokens>>();
}

/// All in one padded batch. `name`: of the logits.
inline void expect_golden_logits(const Gpt2& model, const nlohmann::json& golden, double tolerance,
                                 const std::string& name = "logits") {
  const std::vector<Tokens> batch = golden_sequences(golden);
  const TokenBatch padded = pad_right(batch);
  const auto logits = linear(model(padded), model.head(), {}, true).to_vector<float>();
  const size_t V = size_t(model.config.vocab_size);
  for (size_t i = 0; i < batch.size(); i++) {
    const auto expected = golden[name][i].get<std::vector<double>>();
    ASSERT_EQ(expected.size(), V);
    const size_t row = i * size_t(padded.T) + batch[i].size() - 1;
    for (size_t v = 0; v < V; v++) {
      EXPECT_NEAR(logits[row * V + v], expected[v], tolerance) << i << " " << v;
    }
  }
}

}  // namespace rlhf
