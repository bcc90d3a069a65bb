// The body of POST /v1/chat/completions.
#pragma once

#include <string_view>

#include "data/messages.h"
#include "serve/openai/generation_request.h"

namespace rlhf::openai {

struct ChatRequest {
  GenerationRequest generation;
  Conversation messages;              ///< ends with the user
  std::optional<int64_t> max_tokens;  ///< unset: as many as there is room for
  bool log_probs = false;
  int64_t top_log_probs = 0;  ///< alternatives that a token comes with
};

/// @throws InputError for what is no JSON, FieldError for a field that is wrong or not supported.
ChatRequest parse_chat_request(std::string_view body);

}  // namespace rlhf::openai
