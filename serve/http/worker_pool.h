// Threads that run handlers, and the bounded queue before them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace rlhf::http {

class WorkerPool {
 public:
  WorkerPool(int threads, size_t most_waiting);
  ~WorkerPool();

  /// Queues a job, which must not throw. False when the queue is full or the pool stopped.
  bool submit(std::function<void()> job);

  size_t waiting() const;

  /// Lets running jobs end and drops those that wait. Nothing happens a second time.
  void stop();

 private:
  void run();

  const size_t most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace rlhf::http
