// The fields of a request's body. Every numeric field has its range here, in one table, and every
// error names the field that it is about: clients show it, and tests walk the table.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/check.h"

namespace rlhf::openai {

/// A field is wrong: 400 with "param" and "code". The text reads "[param] expected ..., got ...".
struct FieldError : InputError {
  FieldError(std::string param, const std::string& message, std::string code = "")
      : InputError(fmt::format("[{}] {}", param, message)),
        param(std::move(param)),
        code(std::move(code)) {}
  std::string param, code;
};

template <class... Args>
[[noreturn]] void field_error(std::string_view param, fmt::format_string<Args...> message,
                              Args&&... args) {
  throw FieldError(std::string(param), fmt::format(message, std::forward<Args>(args)...));
}

/// What a numeric field may be, both ends included.
struct Range {
  std::string_view name;
  bool whole;
  double least, most;
};

/// Every numeric field of both kinds of requests but `seed`, which may be any number of 64 bits.
std::span<const Range> ranges();

/// @throws Error when there is no such field.
const Range& range_of(std::string_view name);

/// Bounds of what is no number.
inline constexpr size_t most_prompts = 32, most_messages = 256, most_stops = 4, most_biases = 1024,
                        longest_stop = 64, longest_model_name = 256;  // the last two in bytes

/// A value for a message: numbers and short texts as they are, of all else the kind.
std::string shown(const nlohmann::json& value);

/// Reads an object's fields; one that is null counts as absent, as OpenAI's clients mean it. What
/// nobody asks for is ignored.
class Fields {
 public:
  /// @throws InputError unless it is an object. `object` must outlive this.
  explicit Fields(const nlohmann::json& object);

  /// Null when absent.
  const nlohmann::json* find(std::string_view name) const;

  /// Values within range_of(name). @throws FieldError, these and those below.
  std::optional<int64_t> whole(std::string_view name) const;
  double number(std::string_view name, double otherwise) const;
  bool flag(std::string_view name, bool otherwise) const;
  /// Null when absent.
  const std::string* text(std::string_view name) const;

  /// Any number of 64 bits; a negative one keeps its bits.
  std::optional<uint64_t> seed() const;

  /// Refuses fields that would change the answer and cannot be obeyed, unless absent or empty
  /// ("", [], {}, false).
  void refuse(std::span<const std::string_view> names) const;

 private:
  const nlohmann::json& object_;
};

/// A value within a range. @throws FieldError naming `param`.
double checked_number(const nlohmann::json& value, std::string_view param, const Range& range);

}  // namespace rlhf::openai
