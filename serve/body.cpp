#include "serve/body.h"

#include <cmath>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"

namespace rlhf::serve {
namespace {

[[noreturn]] void missing(const std::string& name, const char* expected) {
  input_error(name, "expected {}, got nothing", expected);
}

}  // namespace

Body::Body(const http::Request& request) : value_(http::json_body(request)) {
  if (!value_.is_object()) {
    input_error("body", "expected an object, got {}", json_kind(value_));
  }
}

const nlohmann::json* Body::find(const std::string& name) {
  asked_.insert(name);
  const auto found = value_.find(name);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

std::string Body::text(const std::string& name, size_t most, size_t least) {
  const auto text = optional_text(name, most);
  if (!text) missing(name, "a string");
  if (text->size() < least) {
    input_error(name, "expected at least {} bytes, got {}", least, text->size());
  }
  return *text;
}

std::optional<std::string> Body::optional_text(const std::string& name, size_t most) {
  const nlohmann::json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_string()) input_error(name, "expected a string, got {}", json_kind(*value));
  auto text = value->get<std::string>();
  if (text.size() > most) {
    input_error(name, "expected at most {} bytes, got {}", most, text.size());
  }
  return text;
}

int64_t Body::integer(const std::string& name, int64_t least, int64_t most) {
  const auto value = optional_integer(name, least, most);
  if (!value) missing(name, "a whole number");
  return *value;
}

std::optional<int64_t> Body::optional_integer(const std::string& name, int64_t least,
                                              int64_t most) {
  const nlohmann::json* value = find(name);
  if (!value) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<uint64_t>() > uint64_t(INT64_MAX));
  const int64_t number = fits ? value->get<int64_t>() : 0;
  if (!fits || number < least || number > most) {
    input_error(name, "expected a whole number from {} to {}, got {}", least, most,
                value->is_number() ? value->dump() : json_kind(*value));
  }
  return number;
}

std::optional<double> Body::optional_number(const std::string& name, double least, double most) {
  const nlohmann::json* value = find(name);
  if (!value) return std::nullopt;
  const double number = value->is_number() ? value->get<double>() : std::nan("");
  if (!(number >= least && number <= most)) {
    input_error(name, "expected a number from {} to {}, got {}", least, most,
                value->is_number() ? value->dump() : json_kind(*value));
  }
  return number;
}

std::optional<bool> Body::optional_flag(const std::string& name) {
  const nlohmann::json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) {
    input_error(name, "expected true or false, got {}", json_kind(*value));
  }
  return value->get<bool>();
}

void Body::finish() const {
  for (const auto& [name, value] : value_.items()) {
    if (!asked_.contains(name)) {
      input_error("body", "expected only known fields, got {}", quote(name));
    }
  }
}

}  // namespace rlhf::serve
