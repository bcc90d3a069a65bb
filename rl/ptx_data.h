// Text that PPO is not to forget: examples for the language-model loss that is mixed into its steps
// (Ouyang et al. 2022, equation 2).
#pragma once

#include <filesystem>
#include <vector>

#include "data/tokenizer.h"
#include "rl/language_model.h"

namespace rlhf {

/// Rows of `prompt` and `completion` give examples as fine-tuning sees them, the loss on the
/// completion; rows of `text` and .txt files give documents in windows of n_positions tokens.
/// @throws InputError naming what is wrong, also when nothing is left to learn.
std::vector<Example> read_ptx_examples(const std::filesystem::path& file,
                                       const Tokenizer& tokenizer, int64_t n_positions);

}  // namespace rlhf
