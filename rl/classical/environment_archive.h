// The running episode as part of a checkpoint.
#pragma once

#include "rl/env/environment.h"
#include "rl/run/state_archive.h"

namespace rlhf::classical {

/// Names all that decides on what the environment does next.
template <class Observation>
void archive_environment(StateArchive& a, Environment<Observation>& environment) {
  auto saved = environment.save();
  int64_t running = saved.running;
  a.number("environment.seed", saved.seed);
  a.number("environment.episode", saved.episode);
  a.number("environment.step", saved.step);
  a.number("environment.running", running);
  a.numbers("environment.state", saved.state);
  saved.running = running != 0;
  environment.restore(saved);
}

}  // namespace rlhf::classical
