// A conversation as an environment: the agent writes its turn token by token, a partner answers,
// and so on for several turns. What the partner is, a script, a person or a model, is one function
// of the conversation so far; what the agent's words are worth, another.
#pragma once

#include <functional>

#include "core/tokens.h"
#include "rl/env/environment.h"

namespace rlhf {

struct DialogueTurn {
  bool by_agent = false;
  Tokens tokens;  ///< of an agent's turn, the end token included if it was written
};

/// Answers the conversation so far. An empty answer ends it. `seed` is another for each answer of
/// each episode: a partner that draws its words must draw them from nothing else.
using DialoguePartner =
    std::function<Tokens(std::span<const DialogueTurn> conversation, uint64_t seed)>;

enum class DialogueReward {
  each_turn,  ///< after every answer of the partner, and after the last turn
  at_end      ///< of the conversation alone
};

struct DialogueConfig {
  std::vector<Tokens> openings;  ///< the partner's first words; one is drawn for each episode
  int64_t vocabulary = 0;        ///< actions are 0 .. vocabulary - 1
  int32_t eos = 0;               ///< the token that ends a turn of the agent
  int64_t turns = 3;             ///< of the agent at most
  int64_t turn_length = 32;      ///< tokens at most in a turn of the agent, the end token included
  int64_t answer_length = 256;   ///< tokens at most in an answer of the partner
  DialoguePartner partner;
  /// What the conversation so far is worth: it ends with the partner's answer to the agent's last
  /// turn, or with that turn when nothing was answered.
  std::function<double(std::span<const DialogueTurn> conversation)> reward;
  DialogueReward reward_at = DialogueReward::at_end;
};

/// Observation: all words so far, one turn behind the other. An episode is terminated when the
/// agent has had its turns, or when the partner does not answer.
class Dialogue : public Environment<Tokens> {
 public:
  /// @throws InputError when openings, partner or reward are missing, a limit is below 1, or when a
  /// token is not in the vocabulary.
  explicit Dialogue(DialogueConfig config);
  const EnvironmentSpec& spec() const override { return spec_; }
  std::span<const DialogueTurn> conversation() const { return conversation_; }
  /// For each turn: 1 if it is the agent's, its length, its tokens.
  std::vector<double> state() const override;
  void set_state(std::span<const double> state) override;

 protected:
  Tokens begin(EnvironmentRandom& random) override;
  Transition<Tokens> advance(int64_t action, EnvironmentRandom& random) override;

 private:
  Tokens text() const;
  /// @returns whether there was one. @throws Error for an answer that is no sequence of the space.
  bool let_answer(EnvironmentRandom& random);

  DialogueConfig config_;
  EnvironmentSpec spec_;
  std::vector<DialogueTurn> conversation_;
  bool in_turn_ = false;  // the last turn is the agent's and goes on
  int64_t turns_ = 0;     // of the agent, complete
};

}  // namespace rlhf
