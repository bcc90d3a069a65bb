#include "serve/openai/chat_response.h"

#include "serve/openai/log_probs.h"

namespace rlhf::openai {
namespace {

using nlohmann::ordered_json;

ordered_json delta_choice(int64_t index, ordered_json delta, ordered_json log_probs,
                          std::string_view finish_reason) {
  return {{"index", index},
          {"delta", std::move(delta)},
          {"logprobs", std::move(log_probs)},
          {"finish_reason", finish_reason.empty() ? ordered_json() : ordered_json(finish_reason)}};
}

}  // namespace

ordered_json ChatFormat::choice(int64_t index, const Piece& whole,
                                std::string_view finish_reason) const {
  return {{"index", index},
          {"message", {{"role", "assistant"}, {"content", whole.text}, {"refusal", nullptr}}},
          {"logprobs", log_probs() ? chat_log_probs(tokenizer(), whole.tokens) : nullptr},
          {"finish_reason", finish_reason}};
}

ordered_json ChatFormat::opening(int64_t index) const {
  return delta_choice(index, {{"role", "assistant"}, {"content", ""}}, nullptr, "");
}

ordered_json ChatFormat::part(int64_t index, const Piece& piece,
                              std::string_view finish_reason) const {
  if (!finish_reason.empty()) {
    return delta_choice(index, ordered_json::object(), nullptr, finish_reason);
  }
  ordered_json log_probs;
  if (!piece.tokens.empty()) log_probs = chat_log_probs(tokenizer(), piece.tokens);
  const bool no_tokens = log_probs.is_null() || log_probs["content"].empty();
  if (piece.text.empty() && no_tokens) return nullptr;
  return delta_choice(index, {{"content", piece.text}}, std::move(log_probs), "");
}

}  // namespace rlhf::openai
