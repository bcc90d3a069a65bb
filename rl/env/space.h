// The sets that observations and actions come from, as Gymnasium names them.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

namespace rlhf {

/// 0 .. n - 1.
struct Discrete {
  int64_t n = 0;
};

/// Vectors with bounds for each component; unbounded ones are infinite.
struct Box {
  std::vector<float> low, high;
  int64_t size() const { return int64_t(low.size()); }
};

/// GoalObservation: a Dict of `observation`, `achieved_goal` and `desired_goal`.
struct GoalBox {
  Box observation, goal;
};

/// Tokens: sequences of at most `max_length` ids, each of 0 .. vocabulary - 1.
struct TokenSequences {
  int64_t vocabulary = 0, max_length = 0;
};

using Space = std::variant<Discrete, Box, GoalBox, TokenSequences>;

}  // namespace rlhf
