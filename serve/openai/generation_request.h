// What requests for completions and for chat answers have in common: how tokens are chosen and how
// the answer is to come.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "serve/openai/fields.h"

namespace rlhf::openai {

struct GenerationRequest {
  std::string model;  ///< empty: the one that is served
  int64_t choices = 1;
  std::optional<uint64_t> seed;
  float temperature = 1, top_p = 1, min_p = 0, repetition_penalty = 1;
  float presence_penalty = 0, frequency_penalty = 0;
  int64_t top_k = 0;
  std::map<int32_t, float> logit_bias;
  std::vector<std::string> stop;
  bool stream = false, include_usage = false;
};

/// Fields of other requests are not looked at. @throws FieldError for the first one that is wrong.
GenerationRequest parse_generation(const Fields& fields);

}  // namespace rlhf::openai
