#include "rl/trunk_states.h"

namespace rlhf {

void hold_trunk(TrainingConfig& training, const std::string& prefix) {
  for (const char* part : {"wte.", "wpe.", "h.", "ln_f."}) training.frozen.push_back(prefix + part);
}

void TrunkStates::read(std::span<const Episode* const> episodes) {
  slices_.clear();
  for_each_slice(episodes, batch_size_, [&](std::span<const Episode* const> part) {
    Slice& slice = slices_.emplace_back();
    slice.episodes.assign(part.begin(), part.end());
    slice.batch = response_batch(part, model_, batch_size_);
    if (!learns_) slice.hidden = response_states(model_, slice.batch);
  });
}

TrunkStates::Slice TrunkStates::at(int64_t i) const {
  Slice slice = slices_[size_t(i)];
  if (learns_) slice.hidden = response_states(model_, slice.batch);
  return slice;
}

}  // namespace rlhf
