// A request's JSON body, field by field: each is asked for once with what it may be, and what
// nobody has asked for is refused, so that a misspelt field is no silent default.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "serve/http/request.h"

namespace rlhf::serve {

class Body {
 public:
  /// @throws InputError unless it is a JSON object.
  explicit Body(const http::Request& request);

  /// Bounds of texts are in bytes. All throw InputError for another type, a value out of range, or,
  /// where it is not optional, for a field that is missing. null counts as missing.
  std::string text(const std::string& name, size_t most, size_t least = 1);
  std::optional<std::string> optional_text(const std::string& name, size_t most);
  int64_t integer(const std::string& name, int64_t least, int64_t most);
  std::optional<int64_t> optional_integer(const std::string& name, int64_t least, int64_t most);
  std::optional<double> optional_number(const std::string& name, double least, double most);
  std::optional<bool> optional_flag(const std::string& name);

  /// @throws InputError naming a field that has not been asked for.
  void finish() const;

 private:
  const nlohmann::json* find(const std::string& name);

  nlohmann::json value_;
  std::set<std::string> asked_;
};

}  // namespace rlhf::serve
