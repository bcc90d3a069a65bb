#include "apps/gym_network.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "apps/number_list.h"
#include "apps/training_flags.h"
#include "core/check.h"

namespace rlhf {

NetworkFlags::NetworkFlags(const std::vector<int64_t>& hidden, ActivationKind activation)
    : hidden_(fmt::format("{}", fmt::join(hidden, ","))),
      activation_(activation == ActivationKind::tanh ? "tanh" : "relu") {}

void NetworkFlags::declare(Flags& flags) {
  flags.add("hidden", hidden_, "units of each hidden layer").shown_as("N,N,...");
  flags.choice("activation", activation_, {"tanh", "relu"}, "between layers");
}

void NetworkFlags::set(std::vector<int64_t>& hidden, ActivationKind& activation) const {
  constexpr uint64_t most = 1 << 16;
  const std::string expected = "whole numbers from 1 to 65536 as in 64,64";
  hidden.clear();
  for (const uint64_t units : parse_numbers("--hidden", hidden_, expected)) {
    if (units < 1 || units > most) {
      input_error("--hidden", "expected {}, got \"{}\"", expected, hidden_);
    }
    hidden.push_back(int64_t(units));
  }
  activation = parse_choice<ActivationKind>(activation_, {"tanh", "relu"});
}

}  // namespace rlhf
