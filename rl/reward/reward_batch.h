// The loss of some feedback under a reward model, as a function of tensors: what training records
// and replays. Pairs, labels and scores may be mixed.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "rl/reward/reward.h"
#include "rl/reward/reward_data.h"

namespace rlhf {

/// How much larger than need be a batch is made, see Padding: by default not at all.
struct RewardPadding {
  Padding sequences;
  int64_t examples = 0;            ///< of each kind of loss, by ones of weight 0
  std::array<bool, 3> kinds = {};  ///< that every batch has, by RewardLoss
  static RewardPadding on(Device device, const RewardData& data, int64_t batch_size,
                          int64_t n_positions);
};

/// What reward_loss reads: token and position (B, T) of all first sequences, then of the rejected
/// ones of pairs; the row of each one's last token (B); and for each RewardLoss four tensors, by
/// example: the place of its reward and, for pairs, of the rejected one's (i32), its value, and its
/// weight divided by `denominator`, both of `loss_type`. Kinds without an example have none.
std::vector<Tensor> reward_inputs(const RewardData& data, std::span<const int64_t> picked,
                                  int64_t denominator, DType loss_type,
                                  const RewardPadding& padding = {});

/// Sum over examples of weight times loss / denominator: (1). `centering` is of pairs.
Tensor reward_loss(const ScalarModel& model, const std::vector<Tensor>& inputs, float centering,
                   const StepState* training);

}  // namespace rlhf
