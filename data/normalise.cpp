#include "data/normalise.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "core/unicode.h"

namespace rlhf {
namespace {

std::string compatible_form(std::string_view text, bool fold_case) {
  int options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
  if (fold_case) options |= UTF8PROC_CASEFOLD;
  utf8proc_uint8_t* out = nullptr;
  const auto length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   utf8proc_ssize_t(text.size()), &out, static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(out, std::free);
  if (length < 0) return std::string(text);
  return {reinterpret_cast<const char*>(out), size_t(length)};
}

}  // namespace

std::string normalised(std::string_view text, const Normalisation& options) {
  const std::string form = compatible_form(text, options.ignore_case);
  std::string out;
  out.reserve(form.size());
  bool space = false;
  for (size_t at = 0; at < form.size();) {
    const CodePoint point = code_point_at(form, at);
    if (char_class(point.value) == CharClass::space) {
      space = true;
    } else {
      if (space && !out.empty()) out += ' ';
      space = false;
      out.append(form, at, size_t(point.length));
    }
    at += size_t(point.length);
  }
  return out;
}

}  // namespace rlhf
