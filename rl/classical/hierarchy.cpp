#include "rl/classical/hierarchy.h"

#include "core/check.h"
#include "rl/env/taxi.h"

namespace rlhf::classical {
namespace {

constexpr int64_t kStates = 500, kColumns = 5, kPlaces = 25;
constexpr int64_t kPickUp = 4, kPutDown = 5;

struct Landmark {
  const char* name;
  int64_t row, column;
};
constexpr Landmark kLandmarks[] = {
    {"go to red", 0, 0}, {"go to green", 0, 4}, {"go to yellow", 4, 0}, {"go to blue", 4, 3}};

SubTask single(const char* name, int64_t action) {
  return {.name = name, .actions = {action}, .view = std::vector<int64_t>(kStates, 0)};
}

}  // namespace

Hierarchy taxi_hierarchy() {
  Hierarchy hierarchy;
  for (const Landmark& landmark : kLandmarks) {
    SubTask task{.name = landmark.name,
                 .actions = {0, 1, 2, 3},
                 .views = kPlaces,
                 .goal = landmark.row * kColumns + landmark.column};
    for (int64_t state = 0; state < kStates; state++) {
      const Taxi::Situation now = Taxi::decode(state);
      task.view.push_back(now.row * kColumns + now.column);
    }
    hierarchy.push_back(std::move(task));
  }
  hierarchy.push_back(single("pick up", kPickUp));
  hierarchy.push_back(single("put down", kPutDown));
  return hierarchy;
}

Hierarchy hierarchy_of(std::string_view environment_id) {
  if (environment_id != "Taxi-v3" && environment_id != "Taxi-v4") {
    input_error("--env", "expected Taxi-v3 or Taxi-v4, whose sub-tasks are known, got \"{}\"",
                environment_id);
  }
  return taxi_hierarchy();
}

}  // namespace rlhf::classical
