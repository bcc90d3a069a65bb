// SQLite behind two small classes: a connection, and a statement that is prepared once and used
// many times. Whatever SQLite refuses becomes an exception that names the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/check.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rlhf::store {

class Connection;

/// The file is damaged, or cannot be opened. At the start that is the operator's to mend, later it
/// is nobody's request that is wrong.
struct Unusable : Error {
  using Error::Error;
};

/// A statement in use. Parameters are bound in their order, columns are read by their number.
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// The next parameter: a number, an enumeration, a text, or an optional one (none is NULL).
  template <class Value>
  void bind(const Value& value) {
    if constexpr (std::is_same_v<Value, std::nullopt_t>) {
      bind_null();
    } else if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
      bind_text(value);
    } else if constexpr (std::is_floating_point_v<Value>) {
      bind_real(value);
    } else if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) {
      bind_integer(int64_t(value));
    } else if (value) {
      bind(*value);
    } else {
      bind_null();
    }
  }

  /// Goes to the next row; false behind the last one.
  bool step();

  /// A column of this row: an integer, an enumeration, bool, double, std::string, or an optional.
  template <class Value>
  Value get(int column) const {
    if constexpr (std::is_same_v<Value, std::string>) {
      return std::string(text(column));
    } else if constexpr (std::is_floating_point_v<Value>) {
      return Value(real(column));
    } else if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) {
      return Value(integer(column));
    } else {
      if (is_null(column)) return std::nullopt;
      return get<typename Value::value_type>(column);
    }
  }

  /// Valid until the next step.
  std::string_view text(int column) const;
  bool is_null(int column) const;

 private:
  friend class Connection;
  Statement(Connection& connection, sqlite3_stmt* statement, bool* in_use, bool owned);
  int64_t integer(int column) const;
  double real(int column) const;
  void bind_null();
  void bind_integer(int64_t value);
  void bind_real(double value);
  void bind_text(std::string_view value);

  Connection* connection_;
  sqlite3_stmt* statement_;
  bool* in_use_;  ///< of the cache
  bool owned_;    ///< not of the cache
  int bound_ = 0;
};

class Connection {
 public:
  enum class Mode { write, read };

  /// @throws Unusable when the file cannot be opened.
  Connection(std::filesystem::path file, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// A statement with its first parameters.
  template <class... Values>
  Statement query(std::string_view sql, const Values&... values) {
    Statement statement = prepare(sql);
    (statement.bind(values), ...);
    return statement;
  }

  /// Runs a statement that gives no rows. @returns how many rows it changed.
  template <class... Values>
  int64_t run(std::string_view sql, const Values&... values) {
    Statement statement = query(sql, values...);
    while (statement.step()) {
    }
    return changes();
  }

  /// The same for an INSERT. @returns the new row's id.
  template <class... Values>
  int64_t insert(std::string_view sql, const Values&... values) {
    run(sql, values...);
    return last_id();
  }

  /// The first column of the first row, or none without a row or for NULL.
  template <class Value, class... Values>
  std::optional<Value> value(std::string_view sql, const Values&... values) {
    Statement statement = query(sql, values...);
    if (!statement.step()) return std::nullopt;
    return statement.template get<std::optional<Value>>(0);
  }

  /// Several statements in one text, without parameters.
  void script(const char* sql);

  /// Whether a BEGIN is open: SQLite ends a transaction by itself when the disk is full.
  bool in_transaction() const;

  const std::filesystem::path& file() const { return file_; }
  sqlite3* handle() const { return database_; }

  /// @throws what an error of SQLite's is to us: NoRoom, Unusable or Error.
  [[noreturn]] void fail(int code) const;

 private:
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    bool in_use = false;
  };
  Statement prepare(std::string_view sql);
  int64_t changes() const;
  int64_t last_id() const;

  std::filesystem::path file_;
  sqlite3* database_ = nullptr;
  std::unordered_map<std::string, std::unique_ptr<Prepared>> prepared_;
};

/// All rows, each made by `row(statement)`.
template <class Row>
auto all_rows(Statement statement, Row&& row) {
  std::vector<std::decay_t<decltype(row(statement))>> rows;
  while (statement.step()) rows.push_back(row(statement));
  return rows;
}

}  // namespace rlhf::store
