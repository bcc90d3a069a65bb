// Flags that take several values in one: 1,2,3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rlhf {

/// Whole numbers with commas between. @throws InputError naming the flag.
std::vector<uint64_t> parse_numbers(const std::string& flag, const std::string& text,
                                    const std::string& expected);

/// What stands between the commas, empty words included.
std::vector<std::string> split_words(const std::string& text);

}  // namespace rlhf
