// The corpus that `rlhf demo` learns from: short reviews made by our own grammar; nothing is
// downloaded. What they mean is judged in gold_sentiment.h.
//
// A review is a prompt without sentiment ("we watched the new film on sunday .") and a completion
// that carries it. About half of the completions are positive. Item i of a seed is the same however
// many are asked for; reviews, prompts and preferences of one seed are drawn independently.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/datasets.h"

namespace rlhf {

/// Prompts of one sentence that end with "." and completions of one or two that begin with a space.
/// @throws Error unless count >= 0; so do the functions below.
std::vector<PromptCompletion> demo_reviews(uint64_t seed, int64_t count);

/// The whole texts of demo_reviews(seed, count): what to pretrain on.
std::vector<std::string> demo_documents(uint64_t seed, int64_t count);

std::vector<std::string> demo_prompts(uint64_t seed, int64_t count);

/// Two completions of each prompt, the chosen one with the higher gold sentiment, but for a share
/// of about `noise` of the pairs, in which they are exchanged: people err. They do not say by how
/// much they prefer one: margins are 0.
/// @throws InputError unless noise is in [0, 1].
std::vector<Preference> demo_preferences(uint64_t seed, int64_t count, double noise);

}  // namespace rlhf
