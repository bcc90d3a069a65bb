// Hierarchical alignment: an upper level that is rewarded for the whole response chooses sub-tasks,
// and the heads that carry them out are rewarded for their segments (Dayan and Hinton 1993, "Feudal
// reinforcement learning"; Kulkarni, Narasimhan, Saeedi and Tenenbaum 2016, "Hierarchical deep
// reinforcement learning: integrating temporal abstraction and intrinsic motivation"). Both learn
// by the actor-critic of rl/advantage_actor_critic.h. docs/algorithms/hierarchical-alignment.md
// maps each detail to its line.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rl/hierarchical_policy.h"
#include "rl/policy_loop.h"

namespace rlhf {

struct HierarchicalAlignmentConfig : PolicyConfig {
  SegmentShape shape;                ///< responses.length is their product
  float beta = 0.1f;                 ///< penalty a nat of KL (k1), in each token's reward
  double intrinsic_coef = 1;         ///< weight of a segment's intrinsic reward, on its last token
  double extrinsic_coef = 1;         ///< weight of the score for the lower level, on the last token
  float gamma = 1;                   ///< discount, of tokens and of segments
  float lambda = 0.95f;              ///< of GAE, for both levels; 0: one step, TD(0)
  bool whiten_advantages = false;    ///< mean 0, variance 1 over the update, each level by itself
  float vf_coef = 0.5f;              ///< weight of the value losses
  float upper_coef = 1;              ///< weight of the upper level's loss
  float upper_entropy_coef = 0.01f;  ///< entropy bonus of the upper level
  float lower_entropy_coef = 0;      ///< of the lower level
  float upper_rate = 1;              ///< factor on the learning rate of the upper level's heads
  float critic_rate = 1;             ///< of all value heads
  bool train_trunk = false;          ///< false: heads learn alone

  HierarchicalAlignmentConfig() { responses.length = shape.segments * shape.segment_length; }
};

/// @throws InputError for choices that contradict each other.
void validate(const HierarchicalAlignmentConfig& config);

/// What each sub-task says of the segments that it wrote: one number a segment, by episode.
using IntrinsicReward =
    std::function<std::vector<std::vector<double>>(std::span<const Episode> episodes)>;

/// Trains the policy's heads, and its trunk where config says so, in place. `names`: of sub-tasks,
/// for metrics.
/// @throws InputError as check_prompts and validate do.
PolicyResult hierarchical_alignment(HierarchicalPolicy& policy, const Gpt2& reference,
                                    std::span<const Tokens> prompts, const ScoreFunction& score,
                                    const IntrinsicReward& intrinsic,
                                    std::span<const std::string> names, int32_t eos,
                                    const HierarchicalAlignmentConfig& config,
                                    const OnUpdate& on_update, Checkpoints checkpoints = {});

}  // namespace rlhf
