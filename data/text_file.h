// Whole text files, read with every check that all readers share, and their lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace rlhf {

/// The content of a file, without a byte order mark; line ends stay as they are.
/// @throws InputError naming the file (and line) if it is missing, not a regular file, unreadable,
/// empty, contains a NUL byte or is not UTF-8.
std::string read_text(const std::filesystem::path& file);

/// The longest line, or quoted CSV record, that a row may take.
inline constexpr size_t max_row_bytes = size_t{16} << 20;

/// The next line of a text from `at` on, without its line end ("\n" or "\r\n"); moves `at` behind
/// it. REQUIRES: at < text.size(). @throws InputError if it is longer than max_row_bytes.
std::string_view next_line(std::string_view text, size_t& at, std::string_view source,
                           int64_t line);

}  // namespace rlhf
