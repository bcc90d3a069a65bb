#include "serve/openai/answer.h"

#include <array>
#include <chrono>

#include "core/system_random.h"

namespace rlhf::openai {

using nlohmann::ordered_json;

ordered_json AnswerFormat::head(const AnswerHead& head, bool event) const {
  return {{"id", head.id},
          {"object", object(event)},
          {"created", head.created},
          {"model", head.model},
          {"system_fingerprint", fmt::format("fp_{}", head.version)}};
}

ordered_json usage_json(const engine::Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

std::string_view finish_text(engine::FinishReason reason) {
  switch (reason) {
    case engine::FinishReason::stop:
      return "stop";
    case engine::FinishReason::length:
      return "length";
    default:
      return "";
  }
}

AnswerHead new_head(std::string_view id_prefix, std::string model, int64_t version) {
  std::array<unsigned char, 12> random;
  system_random(random);
  std::string id(id_prefix);
  for (const unsigned char byte : random) id += fmt::format("{:02x}", byte);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {.id = std::move(id),
          .created = std::chrono::duration_cast<std::chrono::seconds>(now).count(),
          .model = std::move(model),
          .version = version};
}

}  // namespace rlhf::openai
