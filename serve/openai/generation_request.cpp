#include "serve/openai/generation_request.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/json.h"
#include "core/unicode.h"

namespace rlhf::openai {
namespace {

using nlohmann::json;

std::string model_of(const Fields& fields) {
  const std::string* name = fields.text("model");
  if (!name) return "";
  if (name->size() > longest_model_name) {
    field_error("model", "expected a name of at most {} bytes, got {}", longest_model_name,
                name->size());
  }
  return *name;
}

std::map<int32_t, float> biases_of(const Fields& fields) {
  const json* value = fields.find("logit_bias");
  if (!value) return {};
  if (!value->is_object() || value->size() > most_biases) {
    field_error("logit_bias", "expected an object of at most {} tokens, got {}", most_biases,
                value->is_object() ? std::to_string(value->size()) : shown(*value));
  }
  std::map<int32_t, float> biases;
  for (const auto& [key, bias] : value->items()) {
    int32_t token = -1;
    const char* const end = key.data() + key.size();
    const auto read = std::from_chars(key.data(), end, token);
    // "07" and "7" would be one token twice.
    if (read.ec != std::errc() || read.ptr != end || token < 0 || std::to_string(token) != key) {
      field_error("logit_bias", "expected token ids as keys, got {}", quote(key));
    }
    biases[token] = float(checked_number(bias, "logit_bias", range_of("logit_bias")));
  }
  return biases;
}

std::vector<std::string> stops_of(const Fields& fields) {
  const json* value = fields.find("stop");
  if (!value) return {};
  if (!value->is_string() && (!value->is_array() || value->size() > most_stops)) {
    field_error("stop", "expected a string or a list of at most {}, got {}", most_stops,
                value->is_array() ? std::to_string(value->size()) : shown(*value));
  }
  std::vector<std::string> stops;
  const auto add = [&](const json& text) {
    const bool fits = text.is_string() && !text.get_ref<const std::string&>().empty() &&
                      text.get_ref<const std::string&>().size() <= longest_stop;
    if (!fits) {
      field_error("stop", "expected strings of 1 to {} bytes, got {}", longest_stop, shown(text));
    }
    stops.push_back(text.get<std::string>());
  };
  if (value->is_string()) {
    add(*value);
  } else {
    for (const json& text : *value) add(text);
  }
  return stops;
}

bool include_usage_of(const Fields& fields, bool stream) {
  const json* value = fields.find("stream_options");
  if (!value) return false;
  if (!value->is_object()) {
    field_error("stream_options", "expected an object, got {}", shown(*value));
  }
  if (!stream) {
    field_error("stream_options", "expected \"stream\": true beside it, got a request for one {}",
                "whole answer");
  }
  return Fields(*value).flag("include_usage", false);
}

}  // namespace

GenerationRequest parse_generation(const Fields& fields) {
  GenerationRequest request;
  request.model = model_of(fields);
  request.choices = fields.whole("n").value_or(1);
  request.seed = fields.seed();
  request.temperature = float(fields.number("temperature", 1));
  // 0 asks for the most probable token alone, as any mass that it reaches does.
  request.top_p = std::max(float(fields.number("top_p", 1)), std::numeric_limits<float>::min());
  request.min_p = float(fields.number("min_p", 0));
  request.repetition_penalty = float(fields.number("repetition_penalty", 1));
  request.presence_penalty = float(fields.number("presence_penalty", 0));
  request.frequency_penalty = float(fields.number("frequency_penalty", 0));
  request.top_k = fields.whole("top_k").value_or(0);
  request.logit_bias = biases_of(fields);
  request.stop = stops_of(fields);
  request.stream = fields.flag("stream", false);
  request.include_usage = include_usage_of(fields, request.stream);
  return request;
}

}  // namespace rlhf::openai
