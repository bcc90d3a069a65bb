#include "serve/store/reader_pool.h"

#include <algorithm>

#include "core/check.h"
#include "serve/store/schema.h"

namespace rlhf::store {

ReaderPool::ReaderPool(const std::filesystem::path& file, int count) {
  for (int i = 0; i < std::max(count, 1); i++) {
    free_.push_back(std::make_unique<Connection>(file, Connection::Mode::read));
    // SQLite opens the log with the first read.
    check_schema(*free_.back());
  }
}

void ReaderPool::run(const std::function<void(Connection&)>& action) {
  auto connection = take();
  try {
    connection->run("BEGIN");
    action(*connection);
    connection->run("COMMIT");
  } catch (...) {
    try {
      if (connection->in_transaction()) connection->run("ROLLBACK");
    } catch (const Error&) {  // a transaction that only reads has nothing to lose
    }
    put_back(std::move(connection));
    throw;
  }
  put_back(std::move(connection));
}

std::unique_ptr<Connection> ReaderPool::take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return !free_.empty(); });
  auto connection = std::move(free_.back());
  free_.pop_back();
  return connection;
}

void ReaderPool::put_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

}  // namespace rlhf::store
