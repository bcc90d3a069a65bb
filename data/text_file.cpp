#include "data/text_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/check.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

int64_t line_of(std::string_view text, size_t at) {
  return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
}

}  // namespace

std::string read_unchecked_text(const std::filesystem::path& file) {
  const std::string source = file.string();
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) input_error(source, "expected a file, found none");
  if (std::filesystem::is_directory(status)) input_error(source, "expected a file, got a folder");
  if (!std::filesystem::is_regular_file(status)) {
    input_error(source, "expected a regular file, got a device, pipe or socket");
  }
  std::ifstream stream(file, std::ios::binary);
  std::string text(std::filesystem::file_size(file), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream) input_error(source, "expected a readable file, got: {}", std::strerror(errno));

  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  if (text.empty()) input_error(source, "expected some text, got an empty file");
  return text;
}

void check_text(std::string_view text, std::string_view source, int64_t first_line) {
  const auto where = [&](size_t at) {
    return fmt::format("{}:{}", source, first_line - 1 + line_of(text, at));
  };
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    input_error(where(nul), "expected text, got a NUL byte");
  }
  if (const auto bad = find_invalid_utf8(text)) {
    input_error(where(*bad), "expected UTF-8, got the byte 0x{:02X}",
                static_cast<uint8_t>(text[*bad]));
  }
}

std::string read_text(const std::filesystem::path& file) {
  std::string text = read_unchecked_text(file);
  check_text(text, file.string());
  return text;
}

std::string_view next_line(std::string_view text, size_t& at, std::string_view source,
                           int64_t line) {
  const size_t end = std::min(text.find('\n', at), text.size());
  std::string_view content = text.substr(at, end - at);
  at = std::min(end + 1, text.size());
  if (content.size() > max_row_bytes) {
    input_error(fmt::format("{}:{}", source, line), "expected lines of at most {} MiB, got {} MiB",
                max_row_bytes >> 20, (content.size() + (1 << 20) - 1) >> 20);
  }
  if (content.ends_with('\r')) content.remove_suffix(1);
  return content;
}

}  // namespace rlhf
