#include "serve/engine/engine.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "serve/engine/job_check.h"
#include "serve/engine/loop.h"

namespace rlhf::engine {
namespace {

// Keeps an answer until it is whole.
class Collector : public Listener {
 public:
  void on_prompt(std::vector<TokenOut> prompt) override { completion_.prompt = std::move(prompt); }

  bool on_token(const TokenOut& token) override {
    completion_.tokens.push_back(token.token);
    completion_.log_probs.push_back(token.log_prob);
    completion_.text += token.text;
    return true;
  }

  void on_finish(const Finish& finish) override {
    const std::lock_guard lock(mutex_);
    completion_.finish = finish;
    finished_ = true;
    changed_.notify_all();
  }

  Completion wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return finished_; });
    return std::move(completion_);
  }

 private:
  Completion completion_;  // until it is finished, the engine's thread alone touches it
  std::mutex mutex_;
  std::condition_variable changed_;
  bool finished_ = false;
};

}  // namespace

Engine::Engine(std::shared_ptr<const LoadedLanguageModel> model, Options options) {
  check_options(options, *model);
  loop_ = std::make_shared<Loop>(std::move(model), options);
  Loop::start(loop_);
}

Engine::~Engine() { loop_->stop(); }

void Engine::check(const Job& job) const { check_job(job, loop_->model(), loop_->capacity()); }

uint64_t Engine::submit(Job job, std::shared_ptr<Listener> listener) {
  return loop_->submit(std::move(job), std::move(listener));
}

void Engine::cancel(uint64_t id) { loop_->cancel(id); }

void Engine::drain(std::chrono::milliseconds at_most) { loop_->drain(at_most); }

Stats Engine::stats() const { return loop_->stats(); }

int64_t Engine::capacity() const { return loop_->capacity(); }

const LoadedLanguageModel& Engine::model() const { return loop_->model(); }

Completion complete(Engine& engine, Job job) {
  const auto collector = std::make_shared<Collector>();
  engine.submit(std::move(job), collector);
  return collector->wait();
}

}  // namespace rlhf::engine
