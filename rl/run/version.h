// The version that run_config.json, `rlhf doctor` and `rlhf --version` state. A test holds it equal
// to the project's version in CMakeLists.txt.
#pragma once

#include <string_view>

namespace rlhf {

inline constexpr std::string_view version = "0.1.0";

}  // namespace rlhf
