#include "rl/env/text_generation.h"

#include <algorithm>

namespace rlhf {
namespace {

constexpr std::string_view kId = "TextGeneration-v0";

EnvironmentSpec make_spec(const TextGenerationConfig& config) {
  if (config.prompts.empty()) input_error(kId, "expected at least 1 prompt, got 0");
  if (!config.reward) input_error(kId, "expected a reward function, got none");
  if (config.response_length < 1) {
    input_error(kId, "expected a response_length of 1 or more, got {}", config.response_length);
  }
  if (config.eos < 0 || config.eos >= config.vocabulary) {
    input_error(kId, "expected an end token from 0 to {}, got {}", config.vocabulary - 1,
                config.eos);
  }
  size_t longest = 0;
  for (const Tokens& prompt : config.prompts) {
    longest = std::max(longest, prompt.size());
    for (const int32_t token : prompt) {
      if (token >= 0 && token < config.vocabulary) continue;
      input_error(kId, "expected tokens from 0 to {}, got {}", config.vocabulary - 1, token);
    }
  }
  return {.id = std::string(kId),
          .observation_space =
              TokenSequences{config.vocabulary, int64_t(longest) + config.response_length},
          .action_space = {config.vocabulary}};
}

}  // namespace

TextGeneration::TextGeneration(TextGenerationConfig config)
    : config_(std::move(config)), spec_(make_spec(config_)) {}

Tokens TextGeneration::begin(EnvironmentRandom& random) {
  prompt_ = size_t(random.below(int64_t(config_.prompts.size())));
  response_.clear();
  return text_ = prompt();
}

Transition<Tokens> TextGeneration::advance(int64_t action, EnvironmentRandom&) {
  response_.push_back(int32_t(action));
  text_.push_back(int32_t(action));
  const bool ended = action == config_.eos || int64_t(response_.size()) == config_.response_length;
  return {.observation = text_,
          .reward = ended ? config_.reward(prompt(), response_) : 0,
          .terminated = ended};
}

std::vector<double> TextGeneration::state() const {
  std::vector<double> state{double(prompt_)};
  state.insert(state.end(), response_.begin(), response_.end());
  return state;
}

void TextGeneration::set_state(std::span<const double> state) {
  check(!state.empty() && int64_t(state.size()) <= 1 + config_.response_length, spec_.id,
        "expected a state of 1 to {} numbers, got {}", 1 + config_.response_length, state.size());
  check(state[0] >= 0 && state[0] < double(config_.prompts.size()), spec_.id,
        "expected a prompt from 0 to {}, got {}", config_.prompts.size() - 1, state[0]);
  prompt_ = size_t(state[0]);
  response_.assign(state.begin() + 1, state.end());
  text_ = prompt();
  text_.insert(text_.end(), response_.begin(), response_.end());
}

}  // namespace rlhf
