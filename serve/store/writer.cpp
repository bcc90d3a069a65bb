#include "serve/store/writer.h"

#include "core/check.h"

namespace rlhf::store {
namespace {

/// So many wait for one commit at most: the first of them must not wait for an endless queue.
constexpr size_t largest_group = 256;

}  // namespace

Writer::Writer(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)), thread_([this] { loop(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  queued_.notify_one();
  thread_.join();
}

void Writer::run(const std::function<void(Connection&)>& action) {
  check(std::this_thread::get_id() != thread_.get_id(), "store",
        "expected no write inside of a write: it would wait for itself");
  Task task{.action = &action};
  std::future<void> finished = task.finished.get_future();
  {
    const std::lock_guard lock(mutex_);
    check(!ending_, "store", "expected a store that is open, got one that is closing");
    tasks_.push_back(&task);
  }
  queued_.notify_one();
  finished.get();
}

void Writer::loop() {
  for (;;) {
    std::deque<Task*> group;
    {
      std::unique_lock lock(mutex_);
      queued_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      while (!tasks_.empty() && group.size() < largest_group) {
        group.push_back(tasks_.front());
        tasks_.pop_front();
      }
    }
    commit_together(group);
    for (Task* task : group) {
      if (task->error) {
        task->finished.set_exception(task->error);
      } else {
        task->finished.set_value();
      }
    }
  }
}

void Writer::commit_together(std::deque<Task*>& tasks) {
  try {
    connection_->run("BEGIN IMMEDIATE");
    for (Task* task : tasks) run_in_savepoint(*task);
    connection_->run("COMMIT");
  } catch (...) {
    // The disk was full or failed: nothing of this group is kept, so nobody is told otherwise.
    for (Task* task : tasks) {
      if (!task->error) task->error = std::current_exception();
    }
    try {
      if (connection_->in_transaction()) connection_->run("ROLLBACK");
    } catch (const Error&) {  // the next BEGIN says what is wrong
    }
  }
}

void Writer::run_in_savepoint(Task& task) {
  connection_->run("SAVEPOINT task");
  try {
    (*task.action)(*connection_);
  } catch (...) {
    task.error = std::current_exception();
    if (!connection_->in_transaction()) throw;  // SQLite has undone the whole group
    connection_->run("ROLLBACK TO task");
  }
  connection_->run("RELEASE task");
}

}  // namespace rlhf::store
