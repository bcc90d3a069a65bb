// Hindsight instruction relabelling (Zhang et al. 2023, "The wisdom of hindsight makes language
// models better instruction followers"): a response to an instruction that it missed is a perfect
// response to another one. Sampled under instructions drawn at random, relabelled with what they
// did fulfil, responses are learnt by likelihood; no reward is optimised.
// docs/algorithms/hir.md maps each detail to its line.
#pragma once

#include <span>

#include "rl/condition_training.h"
#include "rl/conditions.h"
#include "rl/instructions.h"

namespace rlhf {

struct HirConfig : PolicyConfig {
  float contrastive_coef = 1;   ///< of the contrastive instruction loss; 0: off
  float entropy_coef = 0.001f;  ///< reward of the policy's entropy
  HirConfig() {
    total_episodes = 8192;
    episodes_per_update = 2048;
    num_mini_batches = 128;
  }
};

/// @throws InputError for choices that contradict each other.
void validate(const HirConfig& config);

/// Responses of a slice, each read after every instruction that it is contrasted with, side by
/// side: sequence i * choices + k is response i after choice k.
struct Contrast {
  int64_t choices = 1;
  std::vector<int32_t> fulfilled;  ///< the choice that each response fulfils
};

/// The loss of a slice: (1). Means over the step, of its response tokens and of its responses:
/// -log pi(y_t | fulfilled instruction, x, y_<t) - entropy_coef H_t
/// - contrastive_coef log softmax_k(mean_t log pi(y_t | instruction k, x, y_<t))[fulfilled].
/// `read` are the episodes that `now` is of. Adds to `terms` what it is made of.
Tensor hir_loss(const ReadResponses& now, std::span<const Episode> read, const Contrast& contrast,
                const StepSize& whole, const HirConfig& config, MetricMeans& terms);

/// Trains the policy in place on responses to `prompts`, which `instructed` holds after every
/// instruction. `reference` is what the KL is reported to, nothing more.
/// Metrics: hir/followed, the share of responses that fulfil what they were told.
/// @throws InputError as check_prompts and validate do.
PolicyResult hir(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                 const ConditionedPrompts& instructed, std::span<const Instruction> instructions,
                 const ScoreFunction& score, int32_t eos, const HirConfig& config,
                 const OnUpdate& on_update, Checkpoints checkpoints = {});

}  // namespace rlhf
