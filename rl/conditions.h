// Telling a model in its prompt how good the response is to be: a text, the condition, stands
// before the prompt (Decision Transformer's return-to-go, Chen et al. 2021; "conditional training",
// Korbak et al. 2023). Conditions are plain text and no special tokens, and are tokenised with the
// prompt as one text, so that whoever uses the model types them: `rlhf generate --prompt "best:
// ..."`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/prompt_rows.h"
#include "data/tokenizer.h"
#include "nn/token_batch.h"

namespace rlhf {

/// Prompts under conditions, as tokens: [condition][prompt].
using ConditionedPrompts = std::vector<std::vector<Tokens>>;

/// Five of them, as many as Quark has quantiles, from the worst to the best.
inline constexpr std::string_view kConditions = "worst: |poor: |fair: |good: |best: ";

/// The texts of "worst|...|best", every character as it stands.
std::vector<std::string> split_conditions(std::string_view text);

/// @throws InputError "[flag] ..." unless there are at least two, none is empty, no two are the
/// same and the vocabulary can spell each.
void check_conditions(const Tokenizer& tokenizer, std::span<const std::string> conditions,
                      const std::string& flag);

/// The prompt of a row after a condition. Of messages the condition begins the system message,
/// which is added where there is none.
Tokens encode_under(const Tokenizer& tokenizer, const std::string& condition,
                    const PromptRow& prompt);

/// Every prompt under every condition.
/// @throws InputError "[flag] ..." when one leaves no room within n_positions for a response of
/// this length and the end token that a reward is read at.
ConditionedPrompts condition_prompts(const Tokenizer& tokenizer,
                                     std::span<const std::string> conditions,
                                     std::span<const PromptRow> rows, int64_t n_positions,
                                     int64_t response_length, const std::string& flag);

}  // namespace rlhf
