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
  /// the engine refuses at once is thrown: HttpError 429 or 503, or InputError. When the client
  /// leaves, all is cancelled.
  static void start(std::shared_ptr<engine::Engine> engine, std::vector<PlannedChoice> choices,
                    std::unique_ptr<AnswerWriter> writer, size_t at_once,
                    std::chrono::milliseconds timeout);

 private:
  class ChoiceListener;
  Generation(std::shared_ptr<engine::Engine> engine, std::vector<PlannedChoice> choices,
             std::unique_ptr<AnswerWriter> writer, size_t at_once,
             std::chrono::milliseconds timeout);

  /// Submits as many choices as may be in the engine. @throws what submit throws when nothing of
  /// this request is left there.
  void submit_more();
  void begin();
  bool on_token(size_t choice, const engine::TokenOut& token);
  void on_prompt(size_t choice, std::vector<engine::TokenOut> prompt);
  void on_finish(size_t choice, const engine::Finish& finish);
  void fail(const http::HttpError& error);
  void cancel();
  bool over();

  const std::shared_ptr<engine::Engine> engine_;
  std::vector<PlannedChoice> choices_;
  const size_t at_once_;
  const std::chrono::steady_clock::time_point deadline_;

  // Held while the writer is called, which may call cancel().
  std::mutex writing_;
  std::unique_ptr<AnswerWriter> writer_;
  bool begun_ = false, answered_ = false;
  size_t ended_ = 0;
  engine::Usage usage_;

  // Never held while anybody else is called.
  std::mutex state_;
  std::deque<size_t> waiting_;  // choices that are not in the engine yet
  std::vector<uint64_t> ids_;   // of all jobs that are or were
  size_t running_ = 0;
  bool over_ = false;  // the client has left, or has its answer
};

}  // namespace rlhf::openai
