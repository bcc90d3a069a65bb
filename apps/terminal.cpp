#include "apps/terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>

#include "apps/watch.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

std::string made_visible(std::string_view text, bool keep_layout) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const int32_t c = point.value;
    if (c == CodePoint::invalid) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (!steers_display(c) || (keep_layout && (c == '\n' || c == '\t'))) {
      out += text.substr(at, size_t(point.length));
    } else if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
    } else {
      out += c < 0x100 ? fmt::format("\\x{:02x}", c) : fmt::format("\\u{:04x}", c);
    }
    at += size_t(point.length);
  }
  return out;
}

std::string styled(std::string_view text, std::string_view code, int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool plain = (no_color && *no_color) || !term || std::string_view(term) == "dumb";
  if (plain || !is_terminal(descriptor)) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace

bool is_terminal(int descriptor) { return !current_watch() && ::isatty(descriptor) != 0; }

int terminal_width(int descriptor) {
  winsize size{};
  if (!is_terminal(descriptor) || ::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 80;
  return size.ws_col;
}

std::string escape_controls(std::string_view text) { return made_visible(text, true); }
std::string escape_line(std::string_view text) { return made_visible(text, false); }

std::string bold(std::string_view text, int descriptor) { return styled(text, "1", descriptor); }
std::string dim(std::string_view text, int descriptor) { return styled(text, "2", descriptor); }

int columns_of(std::string_view text) {
  int columns = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    columns += std::max(0, utf8proc_charwidth(point.value));
    at += size_t(point.length);
  }
  return columns;
}

}  // namespace rlhf
