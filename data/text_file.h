// Whole text files, read with every check that all readers share, and their lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace rlhf {

/// The content of a file, without a byte order mark; line ends stay as they are.
/// @throws InputError naming the file if it cannot be read or is empty.
std::string read_unchecked_text(const std::filesystem::path& file);

/// @throws InputError "[source:line] ..." for a NUL byte or what is not UTF-8. `first_line` is the
/// line of the source where the text begins.
void check_text(std::string_view text, std::string_view source, int64_t first_line = 1);

/// Both: the content of a file that is text from the first byte to the last.
std::string read_text(const std::filesystem::path& file);

/// The longest line, or quoted CSV record, that a row may take.
inline constexpr size_t max_row_bytes = size_t{16} << 20;

/// The next line of a text from `at` on, without its line end ("\n" or "\r\n"); moves `at` behind
/// it, also when it throws. REQUIRES: at < text.size().
/// @throws InputError if the line is longer than max_row_bytes.
std::string_view next_line(std::string_view text, size_t& at, std::string_view source,
                           int64_t line);

}  // namespace rlhf
