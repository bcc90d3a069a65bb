#include "serve/http/request.h"

#include <charconv>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "serve/http/error.h"

namespace rlhf::http {
namespace {

bool read_integer(const std::string& text, int64_t& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end && !text.empty();
}

}  // namespace

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::del:
      return "DELETE";
  }
  return "";
}

nlohmann::json json_body(const Request& request) { return parse_json(request.body, "body"); }

std::string query_text(const Request& request, const std::string& name, std::string otherwise) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::move(otherwise) : found->second;
}

int64_t query_integer(const Request& request, const std::string& name, int64_t otherwise,
                      int64_t least, int64_t most) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return otherwise;
  int64_t value = 0;
  if (!read_integer(found->second, value) || value < least || value > most) {
    input_error(name, "expected a whole number from {} to {}, got {}", least, most,
                quote(found->second));
  }
  return value;
}

int64_t parameter_id(const Request& request, size_t at) {
  int64_t value = 0;
  if (!read_integer(request.parameters.at(at), value) || value < 0) {
    throw HttpError(404, fmt::format("[path] expected a number as id, got {}",
                                     quote(request.parameters.at(at))));
  }
  return value;
}

}  // namespace rlhf::http
