// Answers of POST /v1/chat/completions.
#pragma once

#include "serve/openai/answer.h"

namespace rlhf::openai {

class ChatFormat : public AnswerFormat {
 public:
  using AnswerFormat::AnswerFormat;
  std::string_view id_prefix() const override { return "chatcmpl-"; }
  std::string_view object(bool event) const override {
    return event ? "chat.completion.chunk" : "chat.completion";
  }
  nlohmann::ordered_json choice(int64_t index, const Piece& whole,
                                std::string_view finish_reason) const override;
  /// The role, once, with an empty content.
  nlohmann::ordered_json opening(int64_t index) const override;
  nlohmann::ordered_json part(int64_t index, const Piece& piece,
                              std::string_view finish_reason) const override;
};

}  // namespace rlhf::openai
