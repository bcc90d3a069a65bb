// The hidden states that heads read: of a trunk that stays as it is they are computed once an
// update and kept, of one that learns they are computed on the tape of each micro-batch.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nn/gpt2.h"
#include "rl/rollout.h"
#include "rl/trainer.h"

namespace rlhf {

/// Holds the trunk whose parameters' names begin so, but not its language-model head.
void hold_trunk(TrainingConfig& training, const std::string& prefix);

class TrunkStates {
 public:
  /// Some of an update's episodes, and the state before each of their response tokens.
  struct Slice {
    std::vector<const Episode*> episodes;
    ResponseBatch batch;
    Tensor hidden;  ///< (N, C), rows of padding behind
  };

  /// `model` must outlive this. `learns`: whether the trunk does. Slices are of at most
  /// `batch_size` episodes.
  TrunkStates(const Gpt2& model, bool learns, int64_t batch_size)
      : model_(model), learns_(learns), batch_size_(batch_size) {}

  /// An update's episodes, which must stay where they are until the next call.
  void read(std::span<const Episode* const> episodes);
  int64_t slices() const { return int64_t(slices_.size()); }
  /// Of a trunk that learns the states are computed in this call, on the current tape.
  Slice at(int64_t slice) const;

 private:
  const Gpt2& model_;
  bool learns_;
  int64_t batch_size_;
  std::vector<Slice> slices_;
};

}  // namespace rlhf
