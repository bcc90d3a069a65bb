// Writing an answer as an environment: an episode is a prompt, an action a token. The decision
// process that language models are fine-tuned in (Ramamurthy et al. 2023, "Is reinforcement
// learning (not) for natural language processing?", section 3), for algorithms that act step by
// step; rl/rollout.h does the same for a whole batch of episodes at once.
#pragma once

#include <functional>

#include "core/tokens.h"
#include "rl/env/environment.h"

namespace rlhf {

struct TextGenerationConfig {
  std::vector<Tokens> prompts;   ///< one is drawn for each episode, each as likely
  int64_t vocabulary = 0;        ///< actions are 0 .. vocabulary - 1
  int32_t eos = 0;               ///< the token that ends a response
  int64_t response_length = 32;  ///< tokens at most, the end token included
  /// What a response is worth, given once at its end; it holds the end token if that was written.
  std::function<double(const Tokens& prompt, const Tokens& response)> reward;
};

/// Observation: the prompt and the response so far. An episode is terminated by the end token as by
/// the length, since either way the response is judged and nothing follows.
class TextGeneration : public Environment<Tokens> {
 public:
  /// @throws InputError when there is no prompt, no reward, no room for a response, or when a token
  /// is not in the vocabulary.
  explicit TextGeneration(TextGenerationConfig config);
  const EnvironmentSpec& spec() const override { return spec_; }
  const Tokens& prompt() const { return config_.prompts[prompt_]; }
  const Tokens& response() const { return response_; }
  /// The number of the prompt, then the tokens of the response.
  std::vector<double> state() const override;
  void set_state(std::span<const double> state) override;

 protected:
  Tokens begin(EnvironmentRandom& random) override;
  Transition<Tokens> advance(int64_t action, EnvironmentRandom& random) override;

 private:
  TextGenerationConfig config_;
  EnvironmentSpec spec_;
  size_t prompt_ = 0;
  Tokens text_, response_;
};

}  // namespace rlhf
