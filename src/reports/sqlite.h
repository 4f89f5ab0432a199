#pragma once
// SQLite, as far as the store needs it: errors are values, handles close themselves. Knows no
// table.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace stsctl::reports {

/// One prepared statement. Bind all parameters, step to the end, and it is ready to be bound anew.
class Statement {
 public:
  /// Parameters count from 1. What cannot be bound is told by the next step.
  Statement& bind(int parameter, std::int64_t value);
  /// The text must live until the statement has been stepped to its end or reset.
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view bytes);
  Statement& bind_null(int parameter);
  template <class T>
  Statement& bind(int parameter, const std::optional<T>& value) {
    return value ? bind(parameter, *value) : bind_null(parameter);
  }

  /// True: there is a row. False: the end, and the statement is reset.
  Result<bool> step();
  /// Steps to the end.
  Result<Done> run();
  /// Steps to the end and calls `take` for each row.
  Result<Done> each(const std::function<void(Statement& row)>& take);
  /// The first column of the first row, if there is one. Resets the statement.
  Result<std::optional<std::int64_t>> number();

  /// Columns of the current row count from 0; null reads as 0 or "".
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  struct Close {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void note(int code);

  std::unique_ptr<sqlite3_stmt, Close> statement_;
  int fault_ = 0;
};

/// One open database file.
class Database {
 public:
  enum class Mode { must_exist, create };
  /// Opens with a busy timeout of 10 s; ":memory:" lives in memory. Code::not_found when it must
  /// exist and does not, Code::invalid when the file is no database. `where` is the path.
  static Result<Database> open(const std::string& path, Mode mode);

  /// Runs statements without parameters.
  Result<Done> run(const std::string& sql);
  Result<Statement> prepare(const char* sql);
  /// The row that the last insert made.
  std::int64_t last_row() const;
  /// How many rows the last statement changed.
  std::int64_t changes() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
  std::string path_;
};

}  // namespace stsctl::reports
