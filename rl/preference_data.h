// What people preferred, as tokens that a policy learns from: pairs of completions (DPO, ORPO,
// SimPO), or single ones that are wanted or not (KTO). Prompt and completion are tokenised apart,
// as generation will see them, and the end token belongs to the completion.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/datasets.h"
#include "data/tokenizer.h"
#include "rl/language_model.h"

namespace rlhf {

/// Two completions of one prompt; Example::learn marks them, their end tokens included.
struct PreferencePair {
  Example chosen, rejected;
};

struct JudgedCompletion {
  Example example;
  bool desirable = true;
  /// Tokens before the completion.
  int64_t prompt_length() const;
};

/// As TRL truncates: a prompt that is too long keeps its end, prompt and completion together their
/// beginning. A dialogue loses whole exchanges instead, the oldest first, on both sides alike.
struct PreferenceLengths {
  int64_t max_length = 0;         ///< tokens of prompt and completion; 0: the model's context
  int64_t max_prompt_length = 0;  ///< tokens of the prompt; 0: no limit of its own
};

/// Left out are rows whose prompt leaves no room for a completion, and pairs that are equal within
/// max_length: they teach nothing.
template <class Row>
struct PreferenceSet {
  std::vector<Row> rows;
  int64_t truncated = 0;  ///< rows that lost tokens
  int64_t dropped = 0;    ///< rows left out
  int64_t size() const { return int64_t(rows.size()); }
};
using PreferenceData = PreferenceSet<PreferencePair>;
using JudgedData = PreferenceSet<JudgedCompletion>;

/// Encodes pairs. Without a column `prompt` the prompt is what both begin with, up to the first
/// difference (of dialogues: the messages that they share). `flag` names the file in errors.
/// @throws InputError "[file:line] ..." for an empty prompt, or two texts that share none; naming
/// `flag` when no row is left; when the vocabulary cannot spell a row.
PreferenceData encode_pairs(const Tokenizer& tokenizer, std::span<const Preference> rows,
                            const PreferenceLengths& lengths, int64_t n_positions,
                            const char* flag = "--dataset_name");

/// The same of judged completions. @throws InputError likewise.
JudgedData encode_judged(const Tokenizer& tokenizer, std::span<const UnpairedPreference> rows,
                         const PreferenceLengths& lengths, int64_t n_positions,
                         const char* flag = "--dataset_name");

/// Each pair as a completion that is wanted and one that is not, in the order of the rows.
std::vector<UnpairedPreference> unpaired(std::span<const Preference> rows);

/// The prompt of one and the completion of the other, cut to `max_length` tokens: what the KL term
/// of KTO is estimated on.
Example mismatched(const JudgedCompletion& prompt, const JudgedCompletion& completion,
                   int64_t max_length);

/// The context, or max_length where that is less.
int64_t length_limit(const PreferenceLengths& lengths, int64_t n_positions);

}  // namespace rlhf
