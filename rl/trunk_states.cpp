#include "rl/trunk_states.h"

namespace rlhf {

void hold_trunk(TrainingConfig& training, const std::string& prefix) {
  for (const char* part : {"wte.", "wpe.", "h.", "ln_f."}) training.frozen.push_back(prefix + part);
}

void TrunkStates::read(std::span<const Episode* const> episodes) {
  slices_.clear();
  const Padding padding = Padding::on(model_.device(), batch_size_, model_.config.n_positions);
  for_each_slice(episodes, batch_size_, [&](std::span<const Episode* const> part) {
    Slice& slice = slices_.emplace_back();
    slice.episodes.assign(part.begin(), part.end());
    slice.batch = response_batch(part, model_.device(), padding);
    if (!learns_) slice.hidden = hidden_of(slice.batch);
  });
}

TrunkStates::Slice TrunkStates::at(int64_t i) const {
  Slice slice = slices_[size_t(i)];
  if (learns_) slice.hidden = hidden_of(slice.batch);
  return slice;
}

Tensor TrunkStates::hidden_of(const ResponseBatch& batch) const {
  return gather(model_(batch.batch), batch.row);
}

}  // namespace rlhf
