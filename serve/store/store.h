// The one place where a server keeps what people said: a SQLite database in WAL mode. All writes
// go through one thread, which commits what has queued up together (group commit) and brings it to
// the disk before anybody is told that it is saved; readers have connections of their own and never
// wait for it. What is stored is in the headers beside this one, functions of a Store each.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/check.h"
#include "serve/store/scrubber.h"

namespace rlhf::store {

class Connection;
class LoginDelay;

/// There is no such thing (a person, a lease, ...).
struct NotFound : InputError {
  using InputError::InputError;
};

/// What is asked does not fit what is there (a second vote on one comparison, nothing to undo,
/// ...).
struct Conflict : InputError {
  using InputError::InputError;
};

/// The disk is full or the file system read-only; nothing of the write was kept. Free some room and
/// try again: the store goes on working.
struct NoRoom : Error {
  NoRoom(const std::string& file, const std::string& why)
      : Error(fmt::format("[{}] {}", file, why)), reason(why) {}
  std::string reason;  ///< for clients, whom the file is no business of
};

/// Who does something: a person's id, or `the_program` for what happens by itself.
inline constexpr int64_t the_program = 0;

/// Unix time in microseconds.
using Clock = std::function<int64_t()>;
int64_t system_time();

struct StoreOptions {
  Clock clock = system_time;
  int readers = 4;                     ///< connections that read at a time
  std::optional<uint64_t> seed = {};   ///< secret seed of a new database; drawn where not given
  std::optional<Scrubber> scrubber{};  ///< applied to every text before it is stored
};

class Store {
 public:
  /// Opens a database for writing, and creates it where missing; learnings that were running are
  /// marked as failed.
  /// @throws InputError when another process writes to it, it was written by a newer program, is no
  /// database of ours or is damaged.
  explicit Store(const std::filesystem::path& file, StoreOptions options = {});

  /// For exports and copies beside a running server: write() throws.
  static std::unique_ptr<Store> open_read_only(const std::filesystem::path& file,
                                               StoreOptions options = {});

  /// Finishes what has queued up.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Runs `action(Connection&)` on the writer's thread inside a transaction and returns what it
  /// returned, after the disk has it. What it throws undoes its own changes alone and is thrown
  /// here. Must not be called from inside an action.
  template <class Action>
  auto write(Action&& action) -> std::invoke_result_t<Action, Connection&> {
    using Result = std::invoke_result_t<Action, Connection&>;
    if constexpr (std::is_void_v<Result>) {
      run_write([&](Connection& connection) { action(connection); });
    } else {
      std::optional<Result> result;
      run_write([&](Connection& connection) { result.emplace(action(connection)); });
      return std::move(*result);
    }
  }

  /// Runs `action(Connection&)` on a connection that only reads, in one snapshot of the database.
  template <class Action>
  auto read(Action&& action) -> std::invoke_result_t<Action, Connection&> {
    using Result = std::invoke_result_t<Action, Connection&>;
    if constexpr (std::is_void_v<Result>) {
      run_read([&](Connection& connection) { action(connection); });
    } else {
      std::optional<Result> result;
      run_read([&](Connection& connection) { result.emplace(action(connection)); });
      return std::move(*result);
    }
  }

  int64_t now() const;
  const std::filesystem::path& file() const;

  /// A text as it is stored: bytes that are no UTF-8 replaced, and scrubbed if the store scrubs.
  std::string cleaned(std::string_view text) const;
  bool scrubs() const;

  LoginDelay& login_delay();

  /// Whether the log beside the database may hold what was deleted; true after opening, for the
  /// process before may have been killed.
  std::atomic<bool>& log_holds_erased();

  /// Of this database and secret: decides the order of answers and the names in exports.
  uint64_t secret_seed() const;

 private:
  struct State;
  Store(const std::filesystem::path& file, StoreOptions options, bool read_only);
  void open(bool read_only);
  void run_write(const std::function<void(Connection&)>& action);
  void run_read(const std::function<void(Connection&)>& action);

  std::unique_ptr<State> state_;
};

}  // namespace rlhf::store
