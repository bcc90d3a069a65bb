#include "serve/store/store.h"

#include <chrono>

#include "core/atomic_file.h"
#include "core/unicode.h"
#include "serve/store/file_lock.h"
#include "serve/store/login_delay.h"
#include "serve/store/private_file.h"
#include "serve/store/reader_pool.h"
#include "serve/store/schema.h"
#include "serve/store/secrets.h"
#include "serve/store/sqlite.h"
#include "serve/store/writer.h"

namespace rlhf::store {
namespace {

/// Up to this size a file is read from end to end before it is trusted: a quarter of a second.
constexpr uintmax_t checked_bytes = uintmax_t{128} << 20;

std::unique_ptr<Connection> open_writer(const std::filesystem::path& file) {
  create_private_file(file);
  auto connection = std::make_unique<Connection>(file, Connection::Mode::write);
  migrate(*connection);
  // FULL: a commit waits for the disk, so that what was acknowledged outlives a power cut.
  // secure_delete: what is erased is overwritten.
  connection->script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;");
  if (std::filesystem::file_size(file) <= checked_bytes) {
    const auto problem = connection->value<std::string>("PRAGMA quick_check(1)");
    if (problem != "ok") {
      input_error(file.string(), "expected a whole SQLite database, got a damaged file ({})",
                  escaped(problem.value_or("")));
    }
  }
  return connection;
}

uint64_t stored_seed(Connection& connection) {
  const auto text =
      connection.value<std::string>("SELECT value FROM settings WHERE name = 'secret_seed'");
  check(text.has_value(), "store", "expected a secret seed in the database, got none");
  return std::stoull(*text);
}

void make_seed(Connection& connection, const StoreOptions& options) {
  connection.run("INSERT OR IGNORE INTO settings(name, value) VALUES('secret_seed', ?)",
                 std::to_string(options.seed.value_or(random_seed())));
}

}  // namespace

int64_t system_time() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

struct Store::State {
  std::filesystem::path file;
  StoreOptions options;
  uint64_t seed = 0;
  LoginDelay login_delay;
  std::atomic<bool> log_holds_erased = true;
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<Writer> writer;  ///< none when only reading
  std::unique_ptr<ReaderPool> readers;
};

Store::Store(const std::filesystem::path& file, StoreOptions options)
    : Store(file, std::move(options), false) {}

std::unique_ptr<Store> Store::open_read_only(const std::filesystem::path& file,
                                             StoreOptions options) {
  return std::unique_ptr<Store>(new Store(file, std::move(options), true));
}

Store::Store(const std::filesystem::path& file, StoreOptions options, bool read_only)
    : state_(std::make_unique<State>()) {
  state_->file = file;
  state_->options = std::move(options);
  try {
    open(read_only);
  } catch (const Unusable& error) {
    throw InputError(error.what());
  }
}

void Store::open(bool read_only) {
  const std::filesystem::path& file = state_->file;
  if (read_only) {
    if (!std::filesystem::is_regular_file(file)) {
      input_error(file.string(), "expected a database, found none");
    }
  } else {
    require_writable_folder(std::filesystem::absolute(file).parent_path(), file.string());
    state_->lock = std::make_unique<FileLock>(file.string() + ".lock", file.string());
    auto connection = open_writer(file);
    make_seed(*connection, state_->options);
    state_->writer = std::make_unique<Writer>(std::move(connection));
  }
  state_->readers = std::make_unique<ReaderPool>(file, state_->options.readers);
  state_->seed = read([](Connection& connection) { return stored_seed(connection); });
}

Store::~Store() = default;

void Store::run_write(const std::function<void(Connection&)>& action) {
  if (!state_->writer) {
    input_error(state_->file.string(), "expected a database open for writing, got one for reading");
  }
  state_->writer->run(action);
}

void Store::run_read(const std::function<void(Connection&)>& action) {
  state_->readers->run(action);
}

int64_t Store::now() const { return state_->options.clock(); }
const std::filesystem::path& Store::file() const { return state_->file; }
bool Store::scrubs() const { return state_->options.scrubber.has_value(); }
LoginDelay& Store::login_delay() { return state_->login_delay; }
std::atomic<bool>& Store::log_holds_erased() { return state_->log_holds_erased; }
uint64_t Store::secret_seed() const { return state_->seed; }

std::string Store::cleaned(std::string_view text) const {
  std::string valid;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.value == CodePoint::invalid) {
      append_utf8(valid, 0xFFFD);
    } else {
      valid += text.substr(at, size_t(point.length));
    }
    at += size_t(point.length);
  }
  return scrubs() ? state_->options.scrubber->scrub(valid) : valid;
}

}  // namespace rlhf::store
