// The values of a configuration that Hugging Face's libraries have written, each checked to be of
// the kind that it should be.
#pragma once

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"

namespace rlhf {

/// Every function throws an InputError "[source] expected ... as "key", got ...".
class ConfigReader {
 public:
  ConfigReader(std::string_view text, std::string_view source)
      : source_(source), config_(parse_json(text, source)) {
    if (!config_.is_object()) {
      input_error(source_, "expected an object, got {}", json_kind(config_));
    }
  }

  /// Null when the key is missing or null: transformers treats both as "not said".
  const nlohmann::json* find(const char* key) const {
    const auto found = config_.find(key);
    return found == config_.end() || found->is_null() ? nullptr : &*found;
  }

  [[noreturn]] void fail(const char* key, std::string_view expected,
                         const nlohmann::json& got) const {
    input_error(source_, "expected {} as \"{}\", got {}", expected, key, escaped(got.dump()));
  }

  /// A size under GPT-2's own name or under the one that all of transformers' models share.
  void read(const char* key, int64_t& value, const char* alias = nullptr) const {
    const nlohmann::json* found = find(key);
    const nlohmann::json* other = alias ? find(alias) : nullptr;
    if (found && other && *found != *other) fail(alias, fmt::format("the same as {}", key), *other);
    if (!found) std::swap(key, alias), found = other;
    if (!found) return;
    if (!found->is_number_integer()) fail(key, "a whole number", *found);
    if (found->is_number_unsigned() && found->get<uint64_t>() > uint64_t(INT64_MAX)) {
      fail(key, "a number below 2^63", *found);
    }
    value = found->get<int64_t>();
  }

  void read(const char* key, double& value) const {
    const nlohmann::json* found = find(key);
    if (!found) return;
    if (!found->is_number()) fail(key, "a number", *found);
    value = found->get<double>();
    if (std::abs(value) > double(std::numeric_limits<float>::max())) {
      fail(key, "a number within the range of a float", *found);
    }
  }

  void read(const char* key, float& value) const {
    double number = value;
    read(key, number);
    value = float(number);
  }

  void read(const char* key, bool& value) const {
    const nlohmann::json* found = find(key);
    if (!found) return;
    if (!found->is_boolean()) fail(key, "true or false", *found);
    value = found->get<bool>();
  }

  std::string_view source() const { return source_; }

 private:
  std::string_view source_;
  nlohmann::json config_;
};

}  // namespace rlhf
