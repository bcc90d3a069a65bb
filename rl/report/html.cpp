#include "rl/report/html.h"

#include <fmt/core.h>

#include "core/unicode.h"

namespace rlhf {

std::string html_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const int32_t c = point.value;
    if (c == CodePoint::invalid) {
      out += "\uFFFD";
    } else if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'') {
      out += fmt::format("&#{};", c);
    } else if (steers_display(c) && c != '\n' && c != '\t') {
      out += fmt::format("&lt;U+{:04X}&gt;", c);
    } else {
      out += text.substr(at, size_t(point.length));
    }
    at += size_t(point.length);
  }
  return out;
}

}  // namespace rlhf
