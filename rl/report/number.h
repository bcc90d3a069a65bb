// Numbers as people read them.
#pragma once

#include <string>

namespace rlhf {

/// As many digits as a figure needs, thousands apart by a thin space, `–` for NaN:
/// 0.123456 -> 0.1235, 12345.6 -> 12 346, -3e-05 -> −3e-5.
std::string readable_number(double value);

/// printf's exponents without their padding, and a true minus sign, which is as wide as a digit so
/// that columns line up: "-1e-05" -> "−1e-5".
std::string typeset(std::string number);

}  // namespace rlhf
