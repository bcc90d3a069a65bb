// Answers of POST /v1/completions.
#pragma once

#include "serve/openai/answer.h"

namespace rlhf::openai {

class CompletionFormat : public AnswerFormat {
 public:
  using AnswerFormat::AnswerFormat;
  std::string_view id_prefix() const override { return "cmpl-"; }
  std::string_view object(bool) const override { return "text_completion"; }
  nlohmann::ordered_json choice(int64_t index, const Piece& whole,
                                std::string_view finish_reason) const override;
  nlohmann::ordered_json opening(int64_t) const override { return nullptr; }
  nlohmann::ordered_json part(int64_t index, const Piece& piece,
                              std::string_view finish_reason) const override;
};

}  // namespace rlhf::openai
