#include "serve/openai/chat_request.h"

#include "core/json.h"
#include "serve/openai/chat_messages.h"

namespace rlhf::openai {
namespace {

using nlohmann::json;

// `tool_choice` says nothing without tools, and `functions` are their older name.
constexpr std::string_view unsupported[] = {
    "tools",     "functions",        "function_call",          "audio", "web_search_options",
    "verbosity", "reasoning_effort", "continue_final_message", "suffix"};

void check_text_only(const Fields& fields) {
  if (const json* format = fields.find("response_format")) {
    const bool text =
        format->is_object() && format->contains("type") && (*format)["type"] == "text";
    if (!text) {
      throw FieldError("response_format",
                       "expected {\"type\": \"text\"}, got another: not supported",
                       "unsupported_parameter");
    }
  }
  if (const json* modalities = fields.find("modalities")) {
    if (*modalities != json::array({"text"})) {
      throw FieldError("modalities", "expected [\"text\"], got another: not supported",
                       "unsupported_parameter");
    }
  }
}

std::optional<int64_t> max_tokens_of(const Fields& fields) {
  const std::optional<int64_t> old = fields.whole("max_tokens");
  const std::optional<int64_t> now = fields.whole("max_completion_tokens");
  if (old && now && *old != *now) {
    field_error("max_tokens", "expected it or max_completion_tokens, got both");
  }
  // Only a prompt that is echoed can be asked for without an answer.
  if (old == 0) field_error("max_tokens", "expected a whole number from 1, got 0");
  return now ? now : old;
}

}  // namespace

ChatRequest parse_chat_request(std::string_view body) {
  const json object = parse_json(body, "body");
  const Fields fields(object);
  fields.refuse(unsupported);
  check_text_only(fields);
  ChatRequest request;
  request.generation = parse_generation(fields);
  request.messages = parse_messages(fields);
  request.max_tokens = max_tokens_of(fields);
  request.log_probs = fields.flag("logprobs", false);
  const std::optional<int64_t> top = fields.whole("top_logprobs");
  if (top && !request.log_probs) {
    field_error("top_logprobs", "expected \"logprobs\": true beside it, got a request without");
  }
  request.top_log_probs = top.value_or(0);
  return request;
}

}  // namespace rlhf::openai
