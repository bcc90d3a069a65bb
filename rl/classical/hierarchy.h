// How a task falls into sub-tasks: the options among which a high-level policy chooses (Sutton,
// Precup and Singh 1999, "Between MDPs and semi-MDPs"), each with what its own policy sees of a
// state, which is far less than the whole (state abstraction: Dietterich 2000, MAXQ, section 5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::classical {

struct SubTask {
  std::string name;              ///< "go to red"
  std::vector<int64_t> actions;  ///< of the environment, which its policy chooses among
  std::vector<int64_t> view;     ///< (states): what its policy sees of a state, 0 .. views - 1
  int64_t views = 1;
  /// The view that ends it as reached; from there it cannot be begun. None: it ends after one step.
  std::optional<int64_t> goal;

  bool reached(int64_t state) const { return goal && view[size_t(state)] == *goal; }
};

using Hierarchy = std::vector<SubTask>;

/// Taxi: go to each of the four places, seeing the taxi's place alone; pick up; put down (the tree
/// of Dietterich 2000, figure 1, with its navigation bound to each place).
Hierarchy taxi_hierarchy();

/// The hierarchy that is known of an environment. @throws InputError when there is none.
Hierarchy hierarchy_of(std::string_view environment_id);

}  // namespace rlhf::classical
