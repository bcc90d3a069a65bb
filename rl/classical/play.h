// Whole episodes of an agent that has learnt: what it is worth, apart from how it explored.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rl/env/vector_environment.h"

namespace rlhf::classical {

/// Where the environment has no time limit, an agent that walks in circles is stopped.
inline constexpr int64_t kLongestEpisode = 10000;

/// Plays `episodes` of the sequence that `seed` begins. `begin(observation)` is told of each first
/// observation, `act()` gives the next action, `arrive(observation)` is told what it led to.
template <class Observation, class Agent>
std::vector<FinishedEpisode> play(Environment<Observation>& environment, Agent&& agent,
                                  int64_t episodes, uint64_t seed) {
  std::vector<FinishedEpisode> finished;
  for (int64_t i = 0; i < episodes; i++) {
    agent.begin(i == 0 ? environment.reset(seed) : environment.reset());
    FinishedEpisode episode;
    for (bool running = true; running && episode.length < kLongestEpisode;) {
      const Transition<Observation> t = environment.step(agent.act());
      episode.episodic_return += t.reward;
      episode.length++;
      episode.terminated = t.terminated;
      running = !t.done();
      if (running) agent.arrive(t.observation);
    }
    finished.push_back(episode);
  }
  return finished;
}

}  // namespace rlhf::classical
