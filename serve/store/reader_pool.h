// A few connections that only read, lent to one caller at a time.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "serve/store/sqlite.h"

namespace rlhf::store {

class ReaderPool {
 public:
  /// Opens them all: later there might be no descriptor left.
  /// @throws InputError unless the file is a database with the newest schema; Unusable.
  ReaderPool(const std::filesystem::path& file, int count);

  /// Runs an action on one snapshot; waits while all connections are lent.
  void run(const std::function<void(Connection&)>& action);

 private:
  std::unique_ptr<Connection> take();
  void put_back(std::unique_ptr<Connection> connection);

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> free_;
};

}  // namespace rlhf::store
