#include "serve/openai/completion_request.h"

#include <algorithm>

#include "core/json.h"

namespace rlhf::openai {
namespace {

using nlohmann::json;

bool is_id(const json& value) {
  return value.is_number_integer() && value >= 0 && value <= INT32_MAX;
}

Tokens tokens_of(const json& list) {
  Tokens tokens;
  for (const json& id : list) {
    if (!is_id(id)) field_error("prompt", "expected token ids in a list, got {}", shown(id));
    tokens.push_back(id.get<int32_t>());
  }
  if (tokens.empty()) field_error("prompt", "expected at least one token, got an empty list");
  return tokens;
}

std::vector<Prompt> prompts_of(const Fields& fields) {
  const json* value = fields.find("prompt");
  if (!value) return {std::string()};
  if (value->is_string()) return {value->get<std::string>()};
  if (!value->is_array() || value->empty()) {
    field_error("prompt", "expected a string, token ids or a list of these, got {}", shown(*value));
  }
  if (value->front().is_number()) return {tokens_of(*value)};
  if (value->size() > most_prompts) {
    field_error("prompt", "expected at most {} prompts, got {}", most_prompts, value->size());
  }
  std::vector<Prompt> prompts;
  const bool texts = value->front().is_string();
  for (const json& prompt : *value) {
    if (texts ? !prompt.is_string() : !prompt.is_array()) {
      field_error("prompt", "expected strings alone or lists of token ids alone, got {}",
                  shown(prompt));
    }
    if (texts) {
      prompts.emplace_back(prompt.get<std::string>());
    } else {
      prompts.emplace_back(tokens_of(prompt));
    }
  }
  return prompts;
}

}  // namespace

CompletionRequest parse_completion_request(std::string_view body) {
  constexpr std::string_view unsupported[] = {"suffix", "tools", "response_format"};
  const json object = parse_json(body, "body");
  const Fields fields(object);
  fields.refuse(unsupported);
  CompletionRequest request;
  request.generation = parse_generation(fields);
  request.prompts = prompts_of(fields);
  request.max_tokens = fields.whole("max_tokens");
  request.echo = fields.flag("echo", false);
  request.log_probs = fields.whole("logprobs").value_or(-1);
  const int64_t best_of = fields.whole("best_of").value_or(request.generation.choices);
  if (best_of != request.generation.choices) {
    throw FieldError("best_of",
                     fmt::format("expected the number of choices, {}, got {}: choosing among more "
                                 "is not supported",
                                 request.generation.choices, best_of),
                     "unsupported_parameter");
  }
  return request;
}

}  // namespace rlhf::openai
