#include "serve/background.h"

#include <algorithm>
#include <exception>

namespace rlhf::serve {

Background::Background(std::function<void(const std::string&)> on_error)
    : on_error_(std::move(on_error)), thread_([this] { work(); }) {}

Background::~Background() { stop(); }

void Background::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  tasks_.push_back(std::move(task));
  changed_.notify_one();
}

void Background::every(std::chrono::milliseconds period, Task task) {
  const std::lock_guard lock(mutex_);
  periodic_.push_back({period, Clock::now() + period, std::move(task)});
  changed_.notify_one();
}

void Background::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Background::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    Task task;
    if (!tasks_.empty()) {
      task = std::move(tasks_.front());
      tasks_.pop_front();
    } else if (stopping_) {
      return;
    } else {
      const auto soonest =
          std::min_element(periodic_.begin(), periodic_.end(),
                           [](const Periodic& a, const Periodic& b) { return a.next < b.next; });
      if (soonest == periodic_.end()) {
        changed_.wait(lock);
        continue;
      }
      // A copy: while it waits, another periodic task may move those that are there.
      if (const Clock::time_point next = soonest->next; next > Clock::now()) {
        changed_.wait_until(lock, next);
        continue;
      }
      soonest->next = Clock::now() + soonest->period;
      task = soonest->task;
    }
    lock.unlock();
    run(task);
    lock.lock();
  }
}

void Background::run(const Task& task) noexcept {
  try {
    task();
  } catch (const std::exception& error) {
    on_error_(error.what());
  }
}

}  // namespace rlhf::serve
