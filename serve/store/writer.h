// Group commit: one thread runs what others hand in, as many at once as have queued up while the
// disk was busy, and commits them together. Who handed something in waits until the disk has it.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "serve/store/sqlite.h"

namespace rlhf::store {

class Writer {
 public:
  explicit Writer(std::unique_ptr<Connection> connection);
  /// Runs what has queued up, then closes the connection.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Runs an action in a savepoint of a transaction; returns when that is committed, and throws
  /// what the action or the commit threw.
  void run(const std::function<void(Connection&)>& action);

 private:
  struct Task {
    const std::function<void(Connection&)>* action;
    std::exception_ptr error = nullptr;
    std::promise<void> finished = {};
  };
  void loop();
  void commit_together(std::deque<Task*>& tasks);
  void run_in_savepoint(Task& task);

  std::unique_ptr<Connection> connection_;
  std::mutex mutex_;
  std::condition_variable queued_;
  std::deque<Task*> tasks_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace rlhf::store
