// How a prompt becomes tokens, the same for fine-tuning, PPO, generation and evaluation.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer.h"
#include "nn/token_batch.h"

namespace rlhf {

/// The tokens of a prompt. Documents are separated by the end token, so that it is what a text
/// without a prompt begins after.
inline Tokens encode_prompt(const Tokenizer& tokenizer, std::string_view prompt) {
  Tokens tokens = tokenizer.encode(prompt);
  if (tokens.empty()) tokens.push_back(tokenizer.eos());
  return tokens;
}

inline std::vector<Tokens> encode_prompts(const Tokenizer& tokenizer,
                                          std::span<const std::string> prompts) {
  std::vector<Tokens> out;
  for (const std::string& prompt : prompts) out.push_back(encode_prompt(tokenizer, prompt));
  return out;
}

}  // namespace rlhf
