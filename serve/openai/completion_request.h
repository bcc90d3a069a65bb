// The body of POST /v1/completions.
#pragma once

#include <string_view>
#include <variant>

#include "core/tokens.h"
#include "serve/openai/generation_request.h"

namespace rlhf::openai {

/// Text to be encoded, or ids as they are.
using Prompt = std::variant<std::string, Tokens>;

struct CompletionRequest {
  GenerationRequest generation;
  std::vector<Prompt> prompts;        ///< 1 to most_prompts; each gets all choices
  std::optional<int64_t> max_tokens;  ///< unset: 16, or as many as there is room for
  bool echo = false;                  ///< the answer's text begins with the prompt's
  int64_t log_probs = -1;             ///< alternatives a token comes with; -1: no log-probabilities
};

/// @throws InputError for what is no JSON, FieldError for a field that is wrong or not supported.
CompletionRequest parse_completion_request(std::string_view body);

}  // namespace rlhf::openai
