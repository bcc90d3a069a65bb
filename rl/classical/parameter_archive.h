// A module as part of a run's state, beside what a Trainer saves of the one that it trains.
#pragma once

#include <string>

#include "nn/module.h"
#include "rl/run/state_archive.h"

namespace rlhf::classical {

/// Each tensor of the module as "<name>.<its own name>".
template <class Module>
void archive_parameters(StateArchive& a, const std::string& name, Module& module) {
  for_each_parameter(module, [&](const std::string& own_name, Tensor& tensor) {
    a.tensor(name + "." + own_name, tensor);
  });
}

}  // namespace rlhf::classical
