// The flags that say how a policy responds, and what its score loses for a response without an end
// or of great length: the same whether anything is learnt from it or not.
#pragma once

#include <string>

#include "apps/flags.h"
#include "data/tokenizer.h"
#include "rl/responses.h"
#include "rl/score_rules.h"

namespace rlhf {

class ResponseFlags {
 public:
  /// Flags are bound to both, which must outlive this.
  ResponseFlags(ResponseConfig& responses, ScoreRulesConfig& scores)
      : responses_(responses), scores_(scores) {}
  ResponseFlags(const ResponseFlags&) = delete;  // flags are bound to the members
  ResponseFlags& operator=(const ResponseFlags&) = delete;

  /// The most tokens of a response, under a name, temperature, filters, stop token. `learnt`: the
  /// help speaks of log-probabilities and of the KL as well.
  void declare_sampling(Flags& flags, const char* length, const char* length_help, bool learnt);
  /// missing_eos, its penalty, length_penalty
  void declare_penalties(Flags& flags);

  /// What --missing_eos names.
  MissingEos missing_eos() const;
  /// The token that --stop_token names by its text; -1 for none. @throws InputError unless the text
  /// is one token.
  int32_t stop_token(const Tokenizer& tokenizer) const;

 private:
  ResponseConfig& responses_;
  ScoreRulesConfig& scores_;
  std::string stop_token_, missing_eos_ = "subtract";
};

}  // namespace rlhf
