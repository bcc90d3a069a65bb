#include "rl/env/any_environment.h"

#include <algorithm>

namespace rlhf {
namespace {

struct FlatSize {
  int64_t operator()(const Discrete& s) const { return s.n; }
  int64_t operator()(const Box& s) const { return s.size(); }
  int64_t operator()(const GoalBox& s) const { return s.observation.size() + s.goal.size(); }
  int64_t operator()(const TokenSequences&) const {
    throw Error("[environment] expected observations of fixed size, got sequences of tokens");
  }
};

}  // namespace

const EnvironmentSpec& spec_of(const AnyEnvironment& environment) {
  return std::visit([](const auto& e) -> const EnvironmentSpec& { return e->spec(); }, environment);
}

int64_t flat_size(const Space& space) { return std::visit(FlatSize{}, space); }

void flatten(int64_t state, std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0f);
  out[size_t(state)] = 1;
}

void flatten(std::span<const float> observation, std::span<float> out) {
  std::copy(observation.begin(), observation.end(), out.begin());
}

void flatten(const GoalObservation& observation, std::span<float> out) {
  const auto end =
      std::copy(observation.observation.begin(), observation.observation.end(), out.begin());
  std::copy(observation.desired_goal.begin(), observation.desired_goal.end(), end);
}

}  // namespace rlhf
