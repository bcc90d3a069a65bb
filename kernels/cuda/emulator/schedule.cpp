#include "kernels/cuda/emulator/schedule.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace rlhf::emulator {
namespace {

constexpr const char* variable = "RLHF_EMULATOR_ORDER";

Schedule from_environment() {
  const char* const value = std::getenv(variable);
  if (!value || !*value) return {};
  const std::string text = value;
  const std::string name = text.substr(0, text.find(':'));
  for (const Order order : all_orders) {
    if (name != name_of(order)) continue;
    const bool seeded = name.size() < text.size();
    if (seeded && order != Order::random) break;
    return {order, seeded ? std::strtoull(text.c_str() + name.size() + 1, nullptr, 10) : 0};
  }
  throw std::runtime_error(std::string("[") + variable +
                           "] expected forward, reverse, random, random:<seed>, warp_first or "
                           "warp_last, got " +
                           text);
}

Schedule& current() {
  static Schedule schedule = from_environment();
  return schedule;
}

}  // namespace

void set_schedule(Schedule schedule) { current() = schedule; }

Schedule schedule() { return current(); }

const char* name_of(Order order) {
  switch (order) {
    case Order::forward:
      return "forward";
    case Order::reverse:
      return "reverse";
    case Order::random:
      return "random";
    case Order::warp_first:
      return "warp_first";
    case Order::warp_last:
      return "warp_last";
  }
  return "";
}

}  // namespace rlhf::emulator
