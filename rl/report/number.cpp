#include "rl/report/number.h"

#include <fmt/core.h>

#include <cmath>
#include <string_view>

namespace rlhf {
namespace {

std::string grouped(std::string digits) {
  const size_t first = digits.find_first_of("0123456789");
  for (size_t i = digits.size(); i > first + 3;) digits.insert(i -= 3, "\u2009");
  return digits;
}

}  // namespace

std::string readable_number(double value) {
  if (std::isnan(value)) return "\u2013";
  if (std::isinf(value)) return value < 0 ? "\u2212\u221E" : "\u221E";
  const double size = std::abs(value);
  if (size >= 1e9 || (size > 0 && size < 1e-3)) return typeset(fmt::format("{:.3g}", value));
  if (size >= 1000) return typeset(grouped(fmt::format("{:.0f}", value)));
  if (value == std::floor(value)) return typeset(fmt::format("{:.0f}", value));
  return typeset(fmt::format("{:.4g}", value));
}

std::string typeset(std::string number) {
  for (const std::string_view padded : {"e-0", "e+0", "e+"}) {
    const size_t at = number.find(padded);
    if (at != std::string::npos) number.replace(at, padded.size(), padded[1] == '-' ? "e-" : "e");
  }
  return number.starts_with('-') ? "\u2212" + number.substr(1) : number;
}

}  // namespace rlhf
