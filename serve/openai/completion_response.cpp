#include "serve/openai/completion_response.h"

#include "serve/openai/log_probs.h"

namespace rlhf::openai {

using nlohmann::ordered_json;

ordered_json CompletionFormat::choice(int64_t index, const Piece& whole,
                                      std::string_view finish_reason) const {
  return {{"text", whole.text},
          {"index", index},
          {"logprobs", log_probs() ? completion_log_probs(tokenizer(), whole.tokens) : nullptr},
          {"finish_reason", finish_reason.empty() ? ordered_json() : ordered_json(finish_reason)}};
}

ordered_json CompletionFormat::part(int64_t index, const Piece& piece,
                                    std::string_view finish_reason) const {
  if (piece.empty() && finish_reason.empty()) return nullptr;
  ordered_json part = choice(index, piece, finish_reason);
  if (piece.tokens.empty()) part["logprobs"] = nullptr;
  return part;
}

}  // namespace rlhf::openai
