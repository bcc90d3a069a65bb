// One request's way through the engine: all its choices, each a job of its own. Only some of them
// are in the engine at a time, so that a list of prompts neither fills the queue nor is refused
// because it could not all be queued at once.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "serve/engine/engine.h"
#include "serve/openai/answer_writer.h"

namespace rlhf::openai {

struct PlannedChoice {
  engine::Job job;
  Choice choice;
  bool first_of_prompt;  ///< its prompt's tokens count for the usage
};

class Generation : public std::enable_shared_from_this<Generation> {
 public:
  /// Submits the first choices and returns; the answer is written from the engine's thread. What
  /// the engine says of the first one is thrown: HttpError 429 or 503, or JobError. Whatever fails
  /// behind that cancels all choices, and the writer is told once. When the client leaves, all is
  /// cancelled, too.
  static void start(std::shared_ptr<engine::Engine> engine, std::vector<PlannedChoice> choices,
                    std::unique_ptr<AnswerWriter> writer, size_t at_once,
                    std::chrono::milliseconds timeout);

 private:
  class ChoiceListener;
  Generation(std::shared_ptr<engine::Engine> engine, std::vector<PlannedChoice> choices,
             std::unique_ptr<AnswerWriter> writer, size_t at_once,
             std::chrono::milliseconds timeout);

  /// How far the answer is: it only ever goes forward, by begin() and end().
  enum class State {
    fresh,  // the engine has not accepted anything
    begun,  // the writer has begun: from now on it hears how the answer ends
    over    // it has heard so, or the client has left
  };

  /// Submits the next choice; false when there is none, or it has to wait for the end of another.
  /// @throws HttpError 429 when there is none to wait for, 503; what else the engine throws.
  bool submit_next();
  /// Submits as many choices as may be in the engine.
  void submit_more();

  void on_prompt(size_t choice, std::vector<engine::TokenOut> prompt);
  bool on_token(size_t choice, const engine::TokenOut& token);
  void on_finish(size_t choice, const engine::Finish& finish);

  /// Calls `step`, which writes, while the answer is begun; what it throws ends the answer. Returns
  /// whether more is wanted.
  bool write(auto&& step);

  // With writing_ held.
  void begin();
  void fail(const http::HttpError& error);

  /// Cancels what is in the engine; false when the answer was over already.
  bool end();
  State state();

  const std::shared_ptr<engine::Engine> engine_;
  std::vector<PlannedChoice> choices_;
  const size_t at_once_;
  const std::chrono::steady_clock::time_point deadline_;

  // Held while the writer is called, which may call end(), and until it has begun.
  std::mutex writing_;
  std::unique_ptr<AnswerWriter> writer_;
  size_t ended_ = 0;
  engine::Usage usage_;

  // Never held while anybody else is called.
  std::mutex mutex_;
  State state_ = State::fresh;
  std::deque<size_t> waiting_;  // choices that are not in the engine yet
  std::vector<uint64_t> ids_;   // of all jobs that are or were
  size_t running_ = 0;
};

}  // namespace rlhf::openai
