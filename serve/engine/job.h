// What a request for generated text is made of, and what comes back of it while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nn/generate.h"

namespace rlhf::engine {

/// One request. What it leaves at its default changes nothing: then the tokens and their
/// log-probabilities are those of generate(), bit for bit on the CPU.
struct Job {
  Tokens prompt;
  /// Its max_new_tokens may be 0 (with prompt_log_probs: a prompt is only measured). The sequence
  /// has the number first_sequence; sequence_numbers is ignored.
  SamplingOptions sampling;
  /// Subtracted from the logit of every token that has been generated (not of the prompt's), the
  /// second as often as it has been.
  float presence_penalty = 0, frequency_penalty = 0;
  std::map<int32_t, float> logit_bias;  ///< added to the logits of these tokens
  std::vector<std::string> stop;        ///< texts that end the answer and are not part of it; UTF-8
  int top_log_probs = -1;               ///< how many alternatives a token is to come with; -1: none
  bool prompt_log_probs = false;
  std::string client;                    ///< whose request it is: free slots go round among clients
  std::chrono::milliseconds timeout{0};  ///< from submission to the last token; 0: none
  /// It belongs to an answer whose first job has been accepted: drain() lets it in, too.
  bool goes_on = false;
};

/// A token and its alternatives.
struct TokenOut {
  int32_t token = -1;
  /// What may be shown now, whole characters of UTF-8 and often empty: a character or a stop text
  /// that has only begun is held back. The last token of an answer that ended by itself, by its
  /// length or by its timeout brings the rest.
  std::string text;
  /// log softmax(logits / temperature)[token] over the whole vocabulary, temperature 1 where the
  /// choice is greedy (kernels/sample.h), penalties and logit_bias included, repetition_penalty
  /// not. Of a prompt's token at temperature 1 and without any of these; NaN of its first, which
  /// nothing precedes.
  float log_prob = 0;
  /// The most probable tokens by the same distribution, in descending order.
  std::vector<std::pair<int32_t, float>> top;
};

enum class FinishReason {
  stop,       ///< a stop token, or one of Job::stop
  length,     ///< max_new_tokens, or no room left in the context
  cancelled,  ///< by cancel(), by the listener, or because the engine was shut down
  timeout,
  error,  ///< Finish::error says which
};

/// In tokens.
struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;  ///< a final stop token included
  int64_t cached_tokens = 0;      ///< of the prompt: found in the cache and not computed again
};

struct Finish {
  FinishReason reason = FinishReason::error;
  Usage usage;
  std::string error;             ///< for FinishReason::error: "[what] expected ..., got ..."
  int64_t stopped_at_text = -1;  ///< which of Job::stop ended the answer; -1: none
};

/// Who waits for an answer. Everything is called on the engine's thread, in the order in which it
/// is declared, and must return at once: the answers of all others wait meanwhile. What throws
/// counts as a cancellation. After on_finish nothing more is called.
struct Listener {
  virtual ~Listener() = default;
  /// Once, before the first token, if Job::prompt_log_probs asked for it: the prompt's tokens.
  virtual void on_prompt(std::vector<TokenOut>) {}
  /// Returns whether the answer is still wanted; false ends it as cancelled.
  virtual bool on_token(const TokenOut& token) = 0;
  /// Once, for every job that was accepted.
  virtual void on_finish(const Finish& finish) = 0;
};

}  // namespace rlhf::engine
