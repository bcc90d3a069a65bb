// The one door for JSON that we did not write ourselves. The library behind it merges duplicate
// keys silently and builds values so deep that copying them overflows the stack; both are refused
// here while reading, together with bad UTF-8 and integers that do not fit 64 bits.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rlhf {

inline constexpr int max_json_depth = 32;

/// What becomes of a whole number that does not fit 64 bits. Python's writers emit such numbers:
/// files of theirs are read with `as_double`, where nobody looks at those.
enum class HugeIntegers { refuse, as_double };

/// Parses one JSON value. `first_line` is the line of the source where the text begins.
/// @throws InputError "[source:line] expected ..., got ...".
nlohmann::json parse_json(std::string_view text, std::string_view source, int64_t first_line = 1,
                          HugeIntegers huge = HugeIntegers::refuse);

/// Whether a text is one JSON value by its syntax alone: what parse_json refuses may still be one.
/// Builds nothing, so that it takes any depth.
bool is_json(std::string_view text);

/// "a string", "a list", ...: what a value is, for messages.
std::string json_kind(const nlohmann::json& value);

}  // namespace rlhf
