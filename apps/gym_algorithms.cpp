// The list of algorithms, and finding one in it.
#include <fmt/ranges.h>

#include <algorithm>

#include "apps/gym_agent.h"
#include "core/nearest.h"

namespace rlhf {
namespace {

std::vector<GymAlgorithm> all_algorithms() {
  std::vector<GymAlgorithm> all;
  for (auto family :
       {tabular_gym_algorithms, q_network_gym_algorithms, policy_gradient_gym_algorithms}) {
    for (GymAlgorithm& algorithm : family()) all.push_back(std::move(algorithm));
  }
  return all;
}

}  // namespace

const std::vector<GymAlgorithm>& gym_algorithms() {
  static const std::vector<GymAlgorithm> all = all_algorithms();
  return all;
}

const GymAlgorithm& find_gym_algorithm(const std::string& name) {
  std::vector<std::string> names;
  for (const GymAlgorithm& algorithm : gym_algorithms()) {
    if (algorithm.name == name) return algorithm;
    names.push_back(algorithm.name);
  }
  const std::string nearest = nearest_word(name, names);
  input_error("--algo", "expected one of {}, got \"{}\"{}", fmt::join(names, ", "), name,
              nearest.empty() ? "" : "; did you mean " + nearest + "?");
}

void check_fits(const GymAlgorithm& algorithm, const AnyEnvironment& environment) {
  if (algorithm.fits(environment)) return;
  std::vector<std::string> fitting;
  for (const GymAlgorithm& other : gym_algorithms()) {
    if (other.fits(environment)) fitting.push_back(other.name);
  }
  input_error("--algo", "expected one of {} for {}, got {}, which learns in environments of {}",
              fmt::join(fitting, ", "), spec_of(environment).id, algorithm.name,
              algorithm.environments);
}

TabularEnvironment* tabular_environment(const AnyEnvironment& environment) {
  const auto* tabular = std::get_if<std::unique_ptr<TabularEnvironment>>(&environment);
  return tabular ? tabular->get() : nullptr;
}

}  // namespace rlhf
