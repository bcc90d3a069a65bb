// A request from its submission to its end: what it has grown to, and what of that its listener has
// been told. It knows neither the model nor the other requests.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "data/tokenizer.h"
#include "serve/engine/job.h"
#include "serve/engine/sampler.h"
#include "serve/engine/stop_texts.h"

namespace rlhf::engine {

using Clock = std::chrono::steady_clock;

class Request {
 public:
  /// @param capacity tokens that the prompt and the answer may have together.
  Request(uint64_t id, Job job, std::shared_ptr<Listener> listener, const Tokenizer& tokenizer,
          int64_t capacity);

  uint64_t id() const { return id_; }
  const Job& job() const { return job_; }
  const Tokens& generated() const { return generated_; }
  Clock::time_point submitted() const { return submitted_; }
  /// When its newest token came.
  Clock::time_point last_token() const { return last_token_; }

  /// Safe to call from any thread.
  void cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }
  bool expired(Clock::time_point now) const { return now >= deadline_; }

  /// Its place in the cache, and how many of its tokens that holds: the last never is.
  int64_t slot = -1, filled = 0;
  int64_t length() const { return int64_t(job_.prompt.size() + generated_.size()); }
  int32_t token(int64_t position) const;
  /// Tokens that are to be read before its next one is chosen; where none is wanted, before its
  /// prompt is measured, which the last one has no part in.
  int64_t unread() const { return length() - filled - (measured_only() ? 1 : 0); }
  /// Whether no token is wanted of it at all.
  bool measured_only() const { return limit_ == 0; }
  /// What its row of the cache holds.
  Tokens held() const;

  void begin(int64_t slot_taken);
  /// Its row of the cache holds that many of its tokens, which it did not have to read.
  void found(int64_t tokens);
  /// Scores of further prompt tokens, from the second on; tells the listener when all are there.
  void take_scores(std::vector<ScoredToken> scores);
  /// Its next token; the reason when it is the last one. @throws Error when it has no probability.
  std::optional<FinishReason> take(ScoredToken scored, Clock::time_point now);
  void finish(FinishReason reason, const std::string& error = {});

 private:
  TokenOut shown(const ScoredToken& scored, std::string text) const;
  void tell_prompt();

  const uint64_t id_;
  const Job job_;
  const std::shared_ptr<Listener> listener_;
  const Tokenizer& tokenizer_;
  const int64_t limit_;  // of generated tokens
  const Clock::time_point submitted_ = Clock::now(), deadline_;
  std::atomic<bool> cancelled_ = false;
  StreamDecoder decoder_;
  StopTexts stop_texts_;
  Tokens generated_;
  std::vector<ScoredToken> scores_;  // of the prompt
  int64_t cached_ = 0;
  Clock::time_point last_token_;
};

}  // namespace rlhf::engine
