// The corpus that `rlhf demo` learns from: short reviews made by our own grammar (nothing is
// downloaded), and a judge that knows what they mean. The judge stands for the people of real
// feedback: it says which of two completions is better when preferences are collected, and, since
// no training stage ever sees it directly, whether learning from them has worked.
//
// A review is a prompt without sentiment ("we watched the new film on sunday .") and a completion
// that carries it. About half of the completions are positive. Item i of a seed is the same however
// many are asked for; reviews, prompts and preferences of one seed are drawn independently.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
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

/// What the judge thinks of any text, in (-1, 1); 0 is neutral.
///
/// Sums the valence of the sentiment words, then divides by 1 + their absolute sum.
///  - "not", "never", "nothing", ... turn the next sentiment word of the clause into a mild one of
///    the other sign.
///  - What is conceded ("although ... ," or all that stands before "but" or "however") counts 0.4.
///  - A word counts once on each side, so that saying it again gains nothing, and a text of which
///    more than half is repeated words is never above 0.
double gold_sentiment(std::string_view text);

/// gold_sentiment(text) > 0: a text without sentiment is not positive.
bool gold_positive(std::string_view text);

}  // namespace rlhf
