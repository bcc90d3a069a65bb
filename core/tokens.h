// A text as a model reads it.
#pragma once

#include <cstdint>
#include <vector>

namespace rlhf {

using Tokens = std::vector<int32_t>;  ///< ids

}  // namespace rlhf
