// The episode at hand of an agent that acts in one environment, until it is one for the log.
#pragma once

#include <span>

#include "rl/env/vector_environment.h"
#include "rl/run/state_archive.h"

namespace rlhf::classical {

class RunningEpisode {
 public:
  /// Takes in a step. @returns the episode when that was its last, else nothing; valid until the
  /// next call.
  template <class Observation>
  std::span<const FinishedEpisode> step(const Transition<Observation>& t) {
    if (ended_) now_ = {};
    now_.episodic_return += t.reward;
    now_.length++;
    now_.terminated = t.terminated;
    ended_ = t.done();
    return {&now_, size_t(ended_)};
  }
  void archive(StateArchive& a) {
    int64_t ended = ended_;
    a.number("episode.return", now_.episodic_return);
    a.number("episode.length", now_.length);
    a.number("episode.ended", ended);
    ended_ = ended != 0;
  }

 private:
  FinishedEpisode now_;
  bool ended_ = false;
};

}  // namespace rlhf::classical
