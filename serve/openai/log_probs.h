// Log-probabilities as answers have them: four lists for completions, a list of objects for chat.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "data/tokenizer.h"
#include "serve/openai/placed_tokens.h"

namespace rlhf::openai {

/// {"text_offset", "token_logprobs", "tokens", "top_logprobs"}: the first token of a prompt has
/// null twice; the others' alternatives always include the token itself.
nlohmann::ordered_json completion_log_probs(const Tokenizer& tokenizer,
                                            std::span<const PlacedToken> tokens);

/// {"content": [{"token", "logprob", "bytes", "top_logprobs"}, ...], "refusal": null}. What has no
/// text, the token that ends an answer above all, is left out.
nlohmann::ordered_json chat_log_probs(const Tokenizer& tokenizer,
                                      std::span<const PlacedToken> tokens);

}  // namespace rlhf::openai
