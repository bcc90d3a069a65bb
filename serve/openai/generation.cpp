#include "serve/openai/generation.h"

#include <algorithm>
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
  try {
    generation->submit_more();
  } catch (const engine::QueueFull&) {
    throw queue_full(generation->engine_->stats());
  } catch (const engine::Draining&) {
    throw shutting_down();
  }
  const std::lock_guard lock(generation->writing_);
  generation->begin();
}

void Generation::submit_more() {
  for (;;) {
    size_t choice;
    {
      const std::lock_guard lock(state_);
      if (over_ || waiting_.empty() || running_ == at_once_) return;
      choice = waiting_.front();
      waiting_.pop_front();
      running_++;
    }
    // Copied: a job that finds the queue full is submitted again.
    engine::Job job = choices_[choice].job;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    job.timeout = std::max(left, std::chrono::milliseconds(1));
    uint64_t id;
    try {
      id = engine_->submit(std::move(job),
                           std::make_shared<ChoiceListener>(shared_from_this(), choice));
    } catch (const engine::QueueFull&) {
      const std::lock_guard lock(state_);
      waiting_.push_front(choice);
      running_--;
      // Else the end of one of those that run tries again.
      if (running_ == 0) throw;
      return;
    }
    bool over;
    {
      const std::lock_guard lock(state_);
      ids_.push_back(id);
      over = over_;
    }
    if (over) engine_->cancel(id);
  }
}

void Generation::begin() {
  if (std::exchange(begun_, true)) return;
  // Weak: the client's connection must not keep alive what ends by itself.
  writer_->begin([weak = weak_from_this()] {
    if (const auto generation = weak.lock()) generation->cancel();
  });
}

void Generation::on_prompt(size_t choice, std::vector<engine::TokenOut> prompt) {
  const std::lock_guard lock(writing_);
  if (over()) return;
  begin();
  writer_->add(choice, choices_[choice].choice.on_prompt(std::move(prompt)));
}

bool Generation::on_token(size_t choice, const engine::TokenOut& token) {
  const std::lock_guard lock(writing_);
  if (over()) return false;
  begin();
  writer_->add(choice, choices_[choice].choice.on_token(token));
  return true;
}

void Generation::on_finish(size_t choice, const engine::Finish& finish) {
  {
    const std::lock_guard lock(state_);
    running_--;
  }
  {
    const std::lock_guard lock(writing_);
    if (over()) return;
    if (finish_text(finish.reason).empty()) return fail(unfinished(finish.reason));
    begin();
    PlannedChoice& planned = choices_[choice];
    writer_->add(choice, planned.choice.on_finish(finish));
    writer_->end(choice, finish.reason);
    usage_.completion_tokens += finish.usage.completion_tokens;
    if (planned.first_of_prompt) {
      usage_.prompt_tokens += finish.usage.prompt_tokens;
      usage_.cached_tokens += finish.usage.cached_tokens;
    }
    if (++ended_ == choices_.size()) {
      answered_ = true;
      writer_->finish(usage_);
      return;
    }
  }
  try {
    submit_more();
  } catch (const engine::QueueFull&) {
    const std::lock_guard lock(writing_);
    fail(queue_full(engine_->stats()));
  } catch (const engine::Draining&) {
    const std::lock_guard lock(writing_);
    fail(shutting_down());
  }
}

void Generation::fail(const http::HttpError& error) {
  if (std::exchange(answered_, true)) return;
  begin();
  writer_->fail(error);
  cancel();
}

void Generation::cancel() {
  std::vector<uint64_t> ids;
  {
    const std::lock_guard lock(state_);
    over_ = true;
    waiting_.clear();
    ids = std::exchange(ids_, {});
  }
  for (const uint64_t id : ids) engine_->cancel(id);
}

bool Generation::over() {
  const std::lock_guard lock(state_);
  return over_;
}

}  // namespace rlhf::openai
