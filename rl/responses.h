// From prompts to responses that can be judged: how they are sampled, where each ends, and what of
// it a score may read. The same for every algorithm that learns from a policy's own text.
#pragma once

#include <initializer_list>
#include <vector>

#include "nn/generate.h"
#include "rl/rollout.h"

namespace rlhf {

struct ResponseConfig {
  int64_t length = 32;         ///< tokens of a response at most
  float temperature = 1;       ///< of sampling, and of every log-probability
  int64_t top_k = 0;           ///< 0: off
  float top_p = 1;             ///< 1: off
  int32_t stop_token = -1;     ///< what ends a response; -1: the end token
  int64_t truncate_after = 0;  ///< stop tokens before this index do not count
  /// Every response is sampled to its full length and learnt from as a whole; only the score reads
  /// no further than its end. Off: what follows the end is dropped, or never sampled.
  bool sample_past_end = false;
};

/// `kl_penalty`: log-probabilities are compared with a reference's, which filters at sampling would
/// distort. @throws InputError for choices that contradict each other.
void validate(const ResponseConfig& config, bool kl_penalty);

/// How responses of an update are drawn; sequences count from `first_episode`.
SamplingOptions sampling_options(const ResponseConfig& config, int32_t eos, uint64_t seed,
                                 uint64_t first_episode);

/// Finds each response's end: the first stop token at or after config.truncate_after. What follows
/// is dropped, or with sample_past_end only hidden from the score (`judged`).
void end_responses(std::vector<Episode>& episodes, const ResponseConfig& config, int32_t eos);

/// Response tokens that a score may read.
int64_t judged_length(const Episode& episode);

/// The episodes as a ScoreFunction is to see them: up to their end, `stopped` iff the last token is
/// the end token that reward models read.
std::vector<Episode> judged_episodes(const std::vector<Episode>& episodes, int32_t eos);

/// The tokens that an episode may have: the least context of those that read it; null: nobody.
int64_t least_positions(std::initializer_list<const Gpt2*> readers);

/// @throws InputError when there is no prompt, an empty one, or one that leaves no room within
/// n_positions for a response and the end token that a reward is read at.
void check_prompts(std::span<const Tokens> prompts, int64_t n_positions, int64_t response_length);

}  // namespace rlhf
