#include "reports/migration.h"

#include <array>

#include <fmt/format.h>

namespace stsctl::reports {

namespace {

// "STSr" in the file's header tells our databases from others (sqlite.org/fileformat2.html
// §1.3.13).
constexpr std::int64_t application_id = 0x53545372;

// Each text stands once, in `text`, and everywhere else as its number. `policy` repeats what sums
// are grouped by, so that a summary reads one narrow table from end to end.
constexpr const char* version_1 = R"(
CREATE TABLE text (
  id INTEGER PRIMARY KEY,
  value TEXT NOT NULL UNIQUE
);
-- What one report says of one domain: each once.
CREATE TABLE report (
  id INTEGER PRIMARY KEY,
  domain INTEGER NOT NULL REFERENCES text,        -- "" where the sender left it out
  organization INTEGER NOT NULL REFERENCES text,
  report_id TEXT NOT NULL,
  signer INTEGER NOT NULL,                        -- text: a verified DKIM domain; 0: unverified
  contact TEXT NOT NULL,
  begins INTEGER NOT NULL,                        -- seconds since 1970
  ends INTEGER NOT NULL,
  deviations TEXT NOT NULL,                       -- lines
  source TEXT NOT NULL,
  imported INTEGER NOT NULL,
  UNIQUE (domain, organization, report_id, signer)
);
CREATE TABLE policy (
  id INTEGER PRIMARY KEY,
  report INTEGER NOT NULL REFERENCES report ON DELETE CASCADE,
  position INTEGER NOT NULL,                      -- within the report, from 0
  domain INTEGER NOT NULL,
  organization INTEGER NOT NULL,
  signer INTEGER NOT NULL,
  begins INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  type INTEGER NOT NULL,                          -- PolicyType
  policy INTEGER REFERENCES text,                 -- canonical; NULL where it was left out
  counted INTEGER NOT NULL,                       -- 0: its sessions stand in another entry too
  successful INTEGER NOT NULL,
  failed INTEGER NOT NULL
);
CREATE INDEX policy_of_report ON policy (report);
CREATE INDEX policy_of_domain ON policy (domain, begins);
CREATE INDEX policy_of_time ON policy (begins);
CREATE TABLE failure (
  policy INTEGER NOT NULL REFERENCES policy ON DELETE CASCADE,
  position INTEGER NOT NULL,
  result INTEGER NOT NULL REFERENCES text,        -- as reported; "unspecified" where nothing was
  sessions INTEGER NOT NULL,
  mx INTEGER NOT NULL REFERENCES text,
  helo INTEGER NOT NULL REFERENCES text,
  sending_ip INTEGER NOT NULL REFERENCES text,
  receiving_ip INTEGER NOT NULL REFERENCES text,
  reason INTEGER NOT NULL REFERENCES text,
  information INTEGER NOT NULL REFERENCES text,
  PRIMARY KEY (policy, position)
) WITHOUT ROWID;
-- What could not be read.
CREATE TABLE aside (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,                    -- SHA-256 of reason and content
  reason TEXT NOT NULL,
  source TEXT NOT NULL,
  content BLOB NOT NULL,                          -- its beginning
  arrived INTEGER NOT NULL
);
)";

constexpr std::array migrations_of_store{version_1};

Result<std::int64_t> pragma(Database& database, const char* sql) {
  Result<Statement> statement = database.prepare(sql);
  if (!statement) return fail(statement);
  const auto number = statement->number();
  if (!number) return fail(number);
  return number->value_or(0);
}

// The version of a store of ours; 0 for an empty file.
Result<std::int64_t> version_of(Database& database) {
  const auto version = pragma(database, "PRAGMA user_version");
  const auto owner = pragma(database, "PRAGMA application_id");
  const auto tables = pragma(database, "SELECT count(*) FROM sqlite_schema");
  for (const auto* read : {&version, &owner, &tables})
    if (!*read) return fail(*read);
  if (*owner != application_id && (*tables > 0 || *version > 0))
    return fail(Code::invalid, "it is a database of another program");
  return version;
}

Result<Done> migrate_locked(Database& database, std::span<const char* const> migrations) {
  const auto version = version_of(database);
  if (!version) return fail(version);
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (*version > known)
    return fail(Code::unsupported,
                fmt::format("the store has version {}, this program knows {}", *version, known), {},
                "use the newer stsctl that wrote it");
  for (std::int64_t next = *version; next < known; ++next)
    if (const auto done = database.run(migrations[static_cast<std::size_t>(next)]); !done)
      return done;
  if (*version == known) return Done{};
  return database.run(
      fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", known, application_id));
}

}  // namespace

std::span<const char* const> store_migrations() {
  return migrations_of_store;
}

Result<Done> migrate(Database& database, std::span<const char* const> migrations) {
  if (const auto begun = database.run("BEGIN IMMEDIATE"); !begun) return begun;
  const auto done = migrate_locked(database, migrations);
  const auto ended = database.run(done ? "COMMIT" : "ROLLBACK");
  return done ? ended : done;
}

}  // namespace stsctl::reports
