// The built-in functions of text that parse_reward_functions makes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/text_metrics.h"
#include "rl/reward/reward_function.h"

namespace rlhf {

enum class LengthUnit { tokens, words, characters };

/// With a target: 1 at it, falling linearly to 0 at none and at twice as much, and on to -1. With a
/// most instead (target 0): 0 up to it, then falling linearly to -1 at twice as much.
std::unique_ptr<RewardFunction> length_reward(LengthUnit unit, double target, double most);

/// 1 when one of the words occurs, whatever its case, or how many do. A word that begins or ends
/// with a Latin letter or digit must begin or end a word of the text there.
std::unique_ptr<RewardFunction> keyword_reward(const std::vector<std::string>& words, bool counts);

/// 1 when the pattern matches somewhere, or how often it does. @throws InputError for what is no
/// pattern of RE2.
std::unique_ptr<RewardFunction> regex_reward(const std::string& pattern, bool counts);

enum class OverlapKind { bleu, rouge_l };

/// Sentence BLEU-4 / 100 or ROUGE-L's F of the completion and the row's text in `column`: 0 to 1.
std::unique_ptr<RewardFunction> overlap_reward(OverlapKind kind, Tokenise unit,
                                               const std::string& column);

/// 1 where the judge behind the demo's reviews calls prompt and completion positive
/// (data/gold_sentiment.h).
std::unique_ptr<RewardFunction> demo_judge_reward();

}  // namespace rlhf
