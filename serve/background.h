// A thread for what nobody waits for: tasks one after another, and some again and again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rlhf::serve {

/// Exceptions of tasks go to `on_error`, and the next task runs.
class Background {
 public:
  using Task = std::function<void()>;

  explicit Background(std::function<void(const std::string& what)> on_error);
  ~Background();

  /// Runs a task as soon as those before it are done; nothing after stop().
  void post(Task task);

  /// Runs a task each `period`, for the first time after one.
  void every(std::chrono::milliseconds period, Task task);

  /// Finishes what was posted and ends. Not to be called by a task.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Periodic {
    std::chrono::milliseconds period;
    Clock::time_point next;
    Task task;
  };
  void work();
  void run(const Task& task) noexcept;

  std::function<void(const std::string&)> on_error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::vector<Periodic> periodic_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rlhf::serve
