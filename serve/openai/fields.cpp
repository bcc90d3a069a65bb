#include "serve/openai/fields.h"

#include <algorithm>

#include "core/json.h"
#include "core/unicode.h"

namespace rlhf::openai {
namespace {

using nlohmann::json;

// The bounds of OpenAI's API where it has the field; of `n` less, so that no request can ask for
// more memory than a few others together.
constexpr double most_tokens = 1'000'000;
constexpr Range table[] = {
    {"max_tokens", true, 0, most_tokens},
    {"max_completion_tokens", true, 1, most_tokens},
    {"n", true, 1, 8},
    {"best_of", true, 1, 8},
    {"logprobs", true, 0, 5},
    {"top_logprobs", true, 0, 20},
    {"temperature", false, 0, 2},
    {"top_p", false, 0, 1},
    {"presence_penalty", false, -2, 2},
    {"frequency_penalty", false, -2, 2},
    {"logit_bias", false, -100, 100},
    {"top_k", true, 0, most_tokens},
    {"min_p", false, 0, 1},
    {"repetition_penalty", false, 0.01, 100},
};

std::string in_words(const Range& range) {
  return fmt::format("a {} from {} to {}", range.whole ? "whole number" : "number", range.least,
                     range.most);
}

bool is_empty(const json& value) {
  return value == false || value == "" || (value.is_structured() && value.empty());
}

}  // namespace

std::span<const Range> ranges() { return table; }

const Range& range_of(std::string_view name) {
  const auto found =
      std::find_if(std::begin(table), std::end(table), [&](auto& r) { return r.name == name; });
  check(found != std::end(table), "fields", "expected a field of the table, got {}", name);
  return *found;
}

std::string shown(const json& value) {
  if (value.is_string()) return quote(value.get_ref<const std::string&>());
  if (value.is_number() || value.is_boolean()) return value.dump();
  if (value.is_structured() && value.empty()) return "an empty " + json_kind(value).substr(2);
  return json_kind(value);
}

Fields::Fields(const json& object) : object_(object) {
  if (!object.is_object()) input_error("body", "expected an object, got {}", json_kind(object));
}

const json* Fields::find(std::string_view name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

double checked_number(const json& value, std::string_view param, const Range& range) {
  const bool fits = range.whole ? value.is_number_integer() : value.is_number();
  const double number = fits ? value.get<double>() : 0;
  if (!fits || !(number >= range.least && number <= range.most)) {
    field_error(param, "expected {}, got {}", in_words(range), shown(value));
  }
  return number;
}

std::optional<int64_t> Fields::whole(std::string_view name) const {
  const json* value = find(name);
  if (!value) return std::nullopt;
  return int64_t(checked_number(*value, name, range_of(name)));
}

double Fields::number(std::string_view name, double otherwise) const {
  const json* value = find(name);
  return value ? checked_number(*value, name, range_of(name)) : otherwise;
}

bool Fields::flag(std::string_view name, bool otherwise) const {
  const json* value = find(name);
  if (!value) return otherwise;
  if (!value->is_boolean()) field_error(name, "expected true or false, got {}", shown(*value));
  return value->get<bool>();
}

const std::string* Fields::text(std::string_view name) const {
  const json* value = find(name);
  if (!value) return nullptr;
  if (!value->is_string()) field_error(name, "expected a string, got {}", shown(*value));
  return &value->get_ref<const std::string&>();
}

std::optional<uint64_t> Fields::seed() const {
  const json* value = find("seed");
  if (!value) return std::nullopt;
  if (!value->is_number_integer()) {
    field_error("seed", "expected a whole number of 64 bits, got {}", shown(*value));
  }
  return value->is_number_unsigned() ? value->get<uint64_t>() : uint64_t(value->get<int64_t>());
}

void Fields::refuse(std::span<const std::string_view> names) const {
  for (const std::string_view name : names) {
    const json* value = find(name);
    if (!value || is_empty(*value)) continue;
    throw FieldError(
        std::string(name),
        fmt::format("expected a request without it, got {}: not supported", shown(*value)),
        "unsupported_parameter");
  }
}

}  // namespace rlhf::openai
