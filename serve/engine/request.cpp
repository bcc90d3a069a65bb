#include "serve/engine/request.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace rlhf::engine {

Request::Request(uint64_t id, Job job, std::shared_ptr<Listener> listener,
                 const Tokenizer& tokenizer, int64_t capacity)
    : id_(id),
      job_(std::move(job)),
      listener_(std::move(listener)),
      tokenizer_(tokenizer),
      limit_(std::min(job_.sampling.max_new_tokens, capacity - int64_t(job_.prompt.size()))),
      deadline_(job_.timeout.count() > 0 ? submitted_ + job_.timeout : Clock::time_point::max()),
      decoder_(tokenizer),
      stop_texts_(job_.stop) {}

int32_t Request::token(int64_t position) const {
  const int64_t prompt = int64_t(job_.prompt.size());
  return position < prompt ? job_.prompt[size_t(position)] : generated_[size_t(position - prompt)];
}

Tokens Request::held() const {
  Tokens tokens(size_t(filled), 0);
  for (int64_t i = 0; i < filled; i++) tokens[size_t(i)] = token(i);
  return tokens;
}

void Request::begin(int64_t slot_taken) {
  slot = slot_taken;
  // Nothing precedes the first token, and nothing follows in a prompt of one.
  if (job_.prompt_log_probs && job_.prompt.size() == 1) tell_prompt();
}

void Request::found(int64_t tokens) {
  cached_ += tokens - filled;
  filled = tokens;
}

void Request::take_scores(std::vector<ScoredToken> scores) {
  std::move(scores.begin(), scores.end(), std::back_inserter(scores_));
  if (scores_.size() + 1 == job_.prompt.size()) tell_prompt();
}

TokenOut Request::shown(const ScoredToken& scored, std::string text) const {
  return {scored.token, std::move(text), scored.log_prob, scored.top};
}

void Request::tell_prompt() {
  StreamDecoder decoder(tokenizer_);
  std::vector<TokenOut> prompt;
  const ScoredToken first{job_.prompt[0], std::numeric_limits<float>::quiet_NaN(), {}};
  prompt.push_back(shown(first, decoder.push(first.token)));
  for (const ScoredToken& scored : scores_) {
    prompt.push_back(shown(scored, decoder.push(scored.token)));
  }
  prompt.back().text += decoder.finish();
  scores_ = {};
  try {
    listener_->on_prompt(std::move(prompt));
  } catch (...) {
    cancel();
  }
}

std::optional<FinishReason> Request::take(ScoredToken scored, Clock::time_point now) {
  check(!std::isnan(scored.log_prob), "engine",
        "expected finite logits, got NaN: the model's parameters are not finite");
  generated_.push_back(scored.token);
  last_token_ = now;
  const auto& stops = job_.sampling.stop_tokens;
  const bool stopped = std::find(stops.begin(), stops.end(), scored.token) != stops.end();
  std::string text = stopped ? "" : stop_texts_.push(decoder_.push(scored.token));
  std::optional<FinishReason> reason;
  if (stopped || stop_texts_.found() >= 0) {
    reason = FinishReason::stop;
  } else if (int64_t(generated_.size()) >= limit_) {
    reason = FinishReason::length;
  } else if (expired(now)) {
    reason = FinishReason::timeout;
  }
  if (reason && stop_texts_.found() < 0) {
    text += stop_texts_.push(decoder_.finish());
    text += stop_texts_.finish();
  }
  bool wanted = false;
  try {
    wanted = listener_->on_token(shown(scored, std::move(text)));
  } catch (...) {  // as if it had said so
  }
  if (!wanted && !reason) reason = FinishReason::cancelled;
  return reason;
}

void Request::finish(FinishReason reason, const std::string& error) {
  const Usage usage{int64_t(job_.prompt.size()), int64_t(generated_.size()), cached_};
  try {
    listener_->on_finish({reason, usage, error, stop_texts_.found()});
  } catch (...) {  // there is nothing left to cancel
  }
}

}  // namespace rlhf::engine
