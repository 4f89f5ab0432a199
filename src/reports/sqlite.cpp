#include "reports/sqlite.h"

#include <sqlite3.h>

namespace stsctl::reports {

namespace {

constexpr int busy_timeout_ms = 10'000;

Code code_of(int number) {
  switch (number & 0xFF) {  // the rest tells details
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return Code::invalid;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::timeout;
    default:
      return Code::internal;
  }
}

std::unexpected<Error> failed(sqlite3* database, int number) {
  const char* path = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
  const std::string what = database == nullptr ? sqlite3_errstr(number) : sqlite3_errmsg(database);
  return fail(code_of(number), what, path == nullptr ? "" : path);
}

}  // namespace

void Statement::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Statement::note(int code) {
  if (fault_ == SQLITE_OK) fault_ = code;
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  note(sqlite3_bind_int64(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  note(sqlite3_bind_text(statement_.get(), parameter, text.empty() ? "" : text.data(),
                         static_cast<int>(text.size()), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  note(sqlite3_bind_blob(statement_.get(), parameter, bytes.empty() ? "" : bytes.data(),
                         static_cast<int>(bytes.size()), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  note(sqlite3_bind_null(statement_.get(), parameter));
  return *this;
}

Result<bool> Statement::step() {
  const int code = fault_ == SQLITE_OK ? sqlite3_step(statement_.get()) : fault_;
  if (code == SQLITE_ROW) return true;
  auto error = failed(sqlite3_db_handle(statement_.get()), code);
  sqlite3_reset(statement_.get());
  fault_ = SQLITE_OK;
  if (code == SQLITE_DONE) return false;
  return error;
}

Result<Done> Statement::run() {
  return each([](const Statement&) {});
}

Result<Done> Statement::each(const std::function<void(Statement& row)>& take) {
  while (true) {
    const Result<bool> row = step();
    if (!row) return fail(row);
    if (!*row) return Done{};
    take(*this);
  }
}

Result<std::optional<std::int64_t>> Statement::number() {
  const Result<bool> row = step();
  if (!row) return fail(row);
  if (!*row) return std::nullopt;
  const std::int64_t value = integer(0);
  sqlite3_reset(statement_.get());
  return value;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close(database);
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  const int flags = SQLITE_OPEN_READWRITE | (mode == Mode::create ? SQLITE_OPEN_CREATE : 0);
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  Database database;
  database.database_.reset(handle);
  database.path_ = path;
  if (code != SQLITE_OK) {
    Error error = failed(handle, code).error();
    if ((code & 0xFF) == SQLITE_CANTOPEN && mode == Mode::must_exist) error.code = Code::not_found;
    error.where = path;
    return std::unexpected(std::move(error));
  }
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  return database;
}

Result<Done> Database::run(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(database_.get(), code);
  return Done{};
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failed(database_.get(), code);
  return Statement(statement);
}

std::int64_t Database::last_row() const {
  return sqlite3_last_insert_rowid(database_.get());
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(database_.get());
}

}  // namespace stsctl::reports
