#include "serve/store/sqlite.h"

#include <sqlite3.h>

#include "core/check.h"
#include "serve/store/store.h"

namespace rlhf::store {

// ---- statement

Statement::Statement(Connection& connection, sqlite3_stmt* statement, bool* in_use, bool owned)
    : connection_(&connection), statement_(statement), in_use_(in_use), owned_(owned) {}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      in_use_(other.in_use_),
      owned_(other.owned_),
      bound_(other.bound_) {}

Statement::~Statement() {
  if (!statement_) return;
  if (owned_) {
    sqlite3_finalize(statement_);
    return;
  }
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  *in_use_ = false;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) connection_->fail(code);
  return code == SQLITE_ROW;
}

std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes ? std::string_view(bytes, size_t(sqlite3_column_bytes(statement_, column)))
               : std::string_view();
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

void Statement::bind_null() {
  if (const int code = sqlite3_bind_null(statement_, ++bound_)) connection_->fail(code);
}

void Statement::bind_integer(int64_t value) {
  if (const int code = sqlite3_bind_int64(statement_, ++bound_, value)) connection_->fail(code);
}

void Statement::bind_real(double value) {
  if (const int code = sqlite3_bind_double(statement_, ++bound_, value)) connection_->fail(code);
}

void Statement::bind_text(std::string_view value) {
  // A null pointer would be NULL and not an empty text.
  const char* bytes = value.data() ? value.data() : "";
  const int code =
      sqlite3_bind_text64(statement_, ++bound_, bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code) connection_->fail(code);
}

// ---- connection

Connection::Connection(std::filesystem::path file, Mode mode) : file_(std::move(file)) {
  const int access =
      mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  // One thread at a time uses a connection: that is the business of the Store.
  const int code =
      sqlite3_open_v2(file_.c_str(), &database_, access | SQLITE_OPEN_NOMUTEX, nullptr);
  try {
    if (code) fail(code);
    sqlite3_extended_result_codes(database_, 1);
    sqlite3_busy_timeout(database_, 10'000);
    // The file may be anybody's: its schema must not run functions or write to itself.
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    script("PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;");
  } catch (...) {
    sqlite3_close_v2(database_);
    throw;
  }
}

Connection::~Connection() {
  for (auto& [sql, prepared] : prepared_) sqlite3_finalize(prepared->statement);
  sqlite3_close_v2(database_);
}

Statement Connection::prepare(std::string_view sql) {
  auto& prepared = prepared_[std::string(sql)];
  if (!prepared) prepared = std::make_unique<Prepared>();
  const bool nested = prepared->in_use;
  sqlite3_stmt* fresh = nullptr;
  if (nested || !prepared->statement) {
    const int code = sqlite3_prepare_v3(database_, sql.data(), int(sql.size()),
                                        nested ? 0 : SQLITE_PREPARE_PERSISTENT, &fresh, nullptr);
    if (code) fail(code);
  }
  if (nested) return Statement(*this, fresh, nullptr, true);
  if (fresh) prepared->statement = fresh;
  prepared->in_use = true;
  return Statement(*this, prepared->statement, &prepared->in_use, false);
}

void Connection::script(const char* sql) {
  if (const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)) fail(code);
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }
int64_t Connection::changes() const { return sqlite3_changes64(database_); }
int64_t Connection::last_id() const { return sqlite3_last_insert_rowid(database_); }

void Connection::fail(int code) const {
  const std::string reason = database_ ? sqlite3_errmsg(database_) : sqlite3_errstr(code);
  const std::string file = file_.string();
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw Unusable(fmt::format("[{}] expected a whole SQLite database, got a damaged file ({})",
                                 file, reason));
    case SQLITE_CANTOPEN:
      throw Unusable(
          fmt::format("[{}] expected a database that can be opened, got: {}", file, reason));
    case SQLITE_FULL:
      throw NoRoom(file, "expected room on the disk, got none: nothing was saved");
    case SQLITE_READONLY:
      throw NoRoom(file, fmt::format("expected a file that can be written, got: {}", reason));
    default:
      throw Error(
          fmt::format("[{}] expected SQLite to go on, got: {} (code {})", file, reason, code));
  }
}

}  // namespace rlhf::store
