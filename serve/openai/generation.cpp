#include "serve/openai/generation.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "serve/openai/errors.h"

namespace rlhf::openai {

using Clock = std::chrono::steady_clock;

class Generation::ChoiceListener : public engine::Listener {
 public:
  ChoiceListener(std::shared_ptr<Generation> generation, size_t choice)
      : generation_(std::move(generation)), choice_(choice) {}
  void on_prompt(std::vector<engine::TokenOut> prompt) override {
    generation_->on_prompt(choice_, std::move(prompt));
  }
  bool on_token(const engine::TokenOut& token) override {
    return generation_->on_token(choice_, token);
  }
  void on_finish(const engine::Finish& finish) override { generation_->on_finish(choice_, finish); }

 private:
  std::shared_ptr<Generation> generation_;
  size_t choice_;
};

Generation::Generation(std::shared_ptr<engine::Engine> engine, std::vector<PlannedChoice> choices,
                       std::unique_ptr<AnswerWriter> writer, size_t at_once,
                       std::chrono::milliseconds timeout)
    : engine_(std::move(engine)),
      choices_(std::move(choices)),
      at_once_(at_once),
      deadline_(Clock::now() + timeout),
      writer_(std::move(writer)) {
  for (size_t i = 0; i < choices_.size(); i++) waiting_.push_back(i);
}

void Generation::start(std::shared_ptr<engine::Engine> engine, std::vector<PlannedChoice> choices,
                       std::unique_ptr<AnswerWriter> writer, size_t at_once,
                       std::chrono::milliseconds timeout) {
  const std::shared_ptr<Generation> generation(
      new Generation(std::move(engine), std::move(choices), std::move(writer), at_once, timeout));
  {
    // Nobody writes before the answer has begun.
    const std::lock_guard lock(generation->writing_);
    generation->submit_next();
    generation->begin();
  }
  generation->submit_more();
}

bool Generation::submit_next() {
  size_t choice;
  bool goes_on;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::over || waiting_.empty() || running_ == at_once_) return false;
    goes_on = state_ == State::begun;
    choice = waiting_.front();
    waiting_.pop_front();
    running_++;
  }
  // Copied: a job that finds the queue full is submitted again.
  engine::Job job = choices_[choice].job;
  job.goes_on = goes_on;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
  job.timeout = std::max(left, std::chrono::milliseconds(1));
  uint64_t id;
  try {
    id = engine_->submit(std::move(job),
                         std::make_shared<ChoiceListener>(shared_from_this(), choice));
  } catch (const engine::QueueFull&) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_front(choice);
      running_--;
      // The end of one of those that run tries again.
      if (running_ > 0) return false;
    }
    throw queue_full(engine_->stats());
  } catch (const engine::Draining&) {
    throw shutting_down();
  }
  {
    const std::lock_guard lock(mutex_);
    ids_.push_back(id);
    if (state_ != State::over) return true;
  }
  engine_->cancel(id);
  return false;
}

void Generation::submit_more() {
  try {
    while (submit_next()) {
    }
  } catch (...) {
    const std::lock_guard lock(writing_);
    fail(failure(std::current_exception()));
  }
}

void Generation::on_prompt(size_t choice, std::vector<engine::TokenOut> prompt) {
  write([&] { writer_->add(choice, choices_[choice].choice.on_prompt(std::move(prompt))); });
}

bool Generation::on_token(size_t choice, const engine::TokenOut& token) {
  return write([&] { writer_->add(choice, choices_[choice].choice.on_token(token)); });
}

void Generation::on_finish(size_t choice, const engine::Finish& finish) {
  {
    const std::lock_guard lock(mutex_);
    running_--;
  }
  const bool more = write([&] {
    if (finish_text(finish.reason).empty()) return fail(unfinished(finish.reason));
    PlannedChoice& planned = choices_[choice];
    writer_->add(choice, planned.choice.on_finish(finish));
    writer_->end(choice, finish.reason);
    usage_.completion_tokens += finish.usage.completion_tokens;
    if (planned.first_of_prompt) {
      usage_.prompt_tokens += finish.usage.prompt_tokens;
      usage_.cached_tokens += finish.usage.cached_tokens;
    }
    if (++ended_ < choices_.size()) return;
    writer_->finish(usage_);
    end();
  });
  if (more) submit_more();
}

bool Generation::write(auto&& step) {
  const std::lock_guard lock(writing_);
  if (state() != State::begun) return false;
  try {
    step();
  } catch (...) {
    fail(failure(std::current_exception()));
  }
  return state() == State::begun;
}

void Generation::begin() {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::begun;
  }
  try {
    // Weak: the client's connection must not keep alive what ends by itself.
    writer_->begin([weak = weak_from_this()] {
      if (const auto generation = weak.lock()) generation->end();
    });
  } catch (...) {
    fail(failure(std::current_exception()));
  }
}

void Generation::fail(const http::HttpError& error) {
  if (end()) writer_->fail(error);
}

bool Generation::end() {
  std::vector<uint64_t> ids;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(state_, State::over) == State::over) return false;
    waiting_.clear();
    ids.swap(ids_);
  }
  for (const uint64_t id : ids) engine_->cancel(id);
  return true;
}

Generation::State Generation::state() {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace rlhf::openai
