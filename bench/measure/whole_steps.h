// Whole pieces of a user's work, timed as the commands do them: an optimizer step, generation, a
// PPO iteration. The table of `rlhf bench` and the programs of bench/gpu.sh are made of these.
#pragma once

#include <functional>
#include <vector>

#include "bench/measure/samples.h"
#include "core/tokens.h"
#include "nn/gpt2.h"

namespace rlhf::bench {

/// Sequences of random ids, the same for the same seed.
std::vector<Tokens> random_tokens(const Gpt2& model, int64_t sequences, int64_t length,
                                  uint64_t seed);

/// Seconds of each optimizer step on B random windows of T tokens: forward, backward, clipping,
/// AdamW. `recorded`: a GPU records and replays it. REQUIRES: T positions.
std::vector<double> time_training(Gpt2& model, int64_t B, int64_t T, const Repeats& repeats,
                                  bool recorded = true);

/// Seconds of each continuation of the prompts by so many tokens, the prompts' own pass included.
/// `temperature` 0: the most probable tokens.
std::vector<double> time_generation(const Gpt2& model, const std::vector<Tokens>& prompts,
                                    int64_t new_tokens, float temperature, const Repeats& repeats);

/// The sizes of a PPO iteration, under the names of PpoConfig.
struct PpoSizes {
  int64_t episodes_per_update = 64;
  int64_t prompt = 64, response = 64;  ///< tokens; no token ends a response early
  int64_t num_mini_batches = 4;        ///< at least 1 and at most the episodes
  int64_t num_iterations = 4;
  bool recorded = true;
};

struct PpoTimes {
  std::vector<double> iteration;  ///< seconds of each, sampling to the last optimizer step
  double generation = 0;          ///< seconds of an iteration's sampling, the mean
};

/// A policy, its reference, a critic and a reward model, each a model of its own from `make`, which
/// is given a seed. REQUIRES: prompt + response + 1 positions.
PpoTimes time_ppo(const std::function<Gpt2(uint64_t seed)>& make, const PpoSizes& sizes,
                  const Repeats& repeats);

}  // namespace rlhf::bench
