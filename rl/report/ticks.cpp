#include "rl/report/ticks.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "rl/report/number.h"

namespace rlhf {
namespace {

int power_of_ten(double value) { return int(std::floor(std::log10(value) + 1e-9)); }

/// Thousands and millions are shortened to k and M, very large and small values to powers of ten;
/// all with just the digits that tell values a step apart from each other.
std::string plain_label(double value, double step) {
  if (value == 0) return "0";
  const double size = std::max(std::abs(value), step);
  const int digits = power_of_ten(step);
  if (size >= 1e12 || step < 1e-4) {
    return fmt::format("{:.{}e}", value, std::max(0, power_of_ten(std::abs(value)) - digits));
  }
  if (size >= 1e6) return fmt::format("{:.{}f}M", value / 1e6, std::max(0, 6 - digits));
  if (size >= 1e4) return fmt::format("{:.{}f}k", value / 1e3, std::max(0, 3 - digits));
  return fmt::format("{:.{}f}", value, std::max(0, -digits));
}

double first_multiple(double low, double step) { return std::ceil(low / step - 1e-9); }

/// The finest round step that puts no more than `most` ticks inside.
double round_step(double low, double high, int most) {
  const double power = std::pow(10.0, power_of_ten((high - low) / most));
  for (const double factor : {1.0, 2.0, 5.0}) {
    const double step = factor * power;
    if (std::floor(high / step + 1e-9) - first_multiple(low, step) + 1 <= most) return step;
  }
  return 10 * power;
}

std::string tick_label(double value, double step) { return typeset(plain_label(value, step)); }

}  // namespace

std::vector<Tick> linear_ticks(double low, double high, int most) {
  const double step = round_step(low, high, most);
  std::vector<Tick> ticks;
  const double first = first_multiple(low, step);
  // Counted in integers: where doubles lie further apart than the step, adding it changes nothing.
  for (int i = 0; i < most; ++i) {
    const double value = (first + i) * step;
    if (value > high + 1e-9 * step) break;
    ticks.push_back({value, tick_label(value, step)});
  }
  return ticks;
}

std::vector<Tick> log_ticks(double low, double high, int most) {
  const double first = std::floor(std::log10(low)), last = std::ceil(std::log10(high));
  const bool few = std::log10(high / low) < 2;
  const double stride = std::max(1.0, std::ceil((last - first) / most));
  std::vector<Tick> ticks;
  for (double power = first; power <= last; power += stride) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10.0, power);
      if (value < low || value > high || (factor > 1 && !few)) continue;
      const bool plain = value >= 1e-3 && value < 1e6;
      ticks.push_back({value, plain ? tick_label(value, value / factor)
                                    : fmt::format("{:.0f}e{:.0f}", factor, power)});
    }
  }
  return ticks;
}

}  // namespace rlhf
