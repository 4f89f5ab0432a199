#include "reports/store.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/text.h"
#include "reports/migration.h"

namespace stsctl::reports {

namespace {

// What is prepared once.
enum Sql : std::size_t {
  find_text_sql,
  add_text_sql,
  text_sql,
  find_report_sql,
  drop_report_sql,
  add_report_sql,
  add_policy_sql,
  add_failure_sql,
  add_aside_sql,
  trim_aside_sql,
  count_aside_sql,
  list_aside_sql,
  domains_sql,
  policies_sql,
  policies_of_domain_sql,
  failures_sql,
  failures_of_domain_sql,
  sql_count,
};

constexpr std::array<const char*, sql_count> texts_of_sql = {
    "SELECT id FROM text WHERE value = ?",
    "INSERT INTO text (value) VALUES (?)",
    "SELECT value FROM text WHERE id = ?",
    "SELECT id, signer FROM report WHERE domain = ? AND organization = ? AND report_id = ?",
    "DELETE FROM report WHERE id = ?",
    "INSERT INTO report (domain, organization, report_id, signer, contact, begins, ends,"
    " deviations, source, imported) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO policy (report, position, domain, organization, signer, begins, ends, type,"
    " policy, counted, successful, failed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO failure (policy, position, result, sessions, mx, helo, sending_ip, receiving_ip,"
    " reason, information) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO aside (digest, reason, source, content, arrived) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING",
    "DELETE FROM aside WHERE id <= (SELECT max(id) FROM aside) - ?",
    "SELECT count(*) FROM aside",
    "SELECT arrived, source, reason FROM aside ORDER BY id DESC LIMIT ?",
    "SELECT value FROM text WHERE id IN (SELECT domain FROM report) ORDER BY value",
    "SELECT domain, organization, signer, policy, type, position = 0, counted, begins, ends,"
    " successful, failed FROM policy WHERE begins >= ? AND begins < ?",
    "SELECT domain, organization, signer, policy, type, position = 0, counted, begins, ends,"
    " successful, failed FROM policy WHERE begins >= ? AND begins < ? AND domain = ?",
    // CROSS JOIN: SQLite keeps this order.
    "SELECT p.domain, p.organization, p.signer, p.policy, p.type, p.begins, f.result, f.mx,"
    " f.reason, f.sessions FROM failure AS f CROSS JOIN policy AS p ON p.id = f.policy"
    " WHERE p.begins >= ? AND p.begins < ?",
    "SELECT p.domain, p.organization, p.signer, p.policy, p.type, p.begins, f.result, f.mx,"
    " f.reason, f.sessions FROM policy AS p CROSS JOIN failure AS f ON p.id = f.policy"
    " WHERE p.begins >= ? AND p.begins < ? AND p.domain = ?",
};

constexpr std::int64_t most_aside = 1000;
constexpr std::size_t most_bytes_remembered = std::size_t{4} << 20U;

std::int64_t seconds(Time time) {
  return time.time_since_epoch().count();
}
Time time_of(std::int64_t number) {
  return Time{Duration{number}};
}

std::uint64_t sum_of(const std::vector<FailureDetail>& failures) {
  return std::accumulate(
      failures.begin(), failures.end(), std::uint64_t{0},
      [](std::uint64_t sum, const FailureDetail& one) { return sum + one.sessions; });
}

// Microsoft counts a session under its sts entry and again under its tlsa entry. Others apply one
// of the two to a session (RFC 8461 §2: DANE goes before).
bool counts_sessions_twice(const Report& report, const std::optional<dns::Name>& domain) {
  if (!lower(report.organization).starts_with("microsoft")) return false;
  return std::ranges::any_of(report.policies, [&](const PolicyEntry& entry) {
    return entry.type == PolicyType::sts && entry.domain == domain;
  });
}

PolicyRow policy_row(const Statement& row) {
  return {.domain = row.integer(0),
          .organization = row.integer(1),
          .signer = row.integer(2),
          .policy = row.integer(3),
          .type = static_cast<PolicyType>(row.integer(4)),
          .first = row.integer(5) != 0,
          .counted = row.integer(6) != 0,
          .begin = time_of(row.integer(7)),
          .end = time_of(row.integer(8)),
          .successful = static_cast<std::uint64_t>(row.integer(9)),
          .failed = static_cast<std::uint64_t>(row.integer(10))};
}

FailureRow failure_row(const Statement& row) {
  return {.domain = row.integer(0),
          .organization = row.integer(1),
          .signer = row.integer(2),
          .policy = row.integer(3),
          .type = static_cast<PolicyType>(row.integer(4)),
          .begin = time_of(row.integer(5)),
          .result = row.integer(6),
          .mx = row.integer(7),
          .reason = row.integer(8),
          .sessions = static_cast<std::uint64_t>(row.integer(9))};
}

}  // namespace

Result<Store> Store::open(const std::string& path, Database::Mode mode) {
  Result<Database> database = Database::open(path, mode);
  if (!database) return fail(database);
  // WAL with synchronous NORMAL never corrupts; a power cut may take back the last batches, whose
  // reports are then read again (sqlite.org/wal.html). It is chosen after the file is known as
  // ours.
  if (const auto done = migrate(*database, store_migrations()); !done) return fail_at(done, path);
  if (const auto done = database->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                      "PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192");
      !done)
    return fail_at(done, path);
  Store store(std::move(*database));
  if (const auto done = store.prepare(); !done) return fail_at(done, path);
  return store;
}

Result<Done> Store::prepare() {
  for (const char* sql : texts_of_sql) {
    Result<Statement> statement = database_.prepare(sql);
    if (!statement) return fail(statement);
    statements_.push_back(std::move(*statement));
  }
  return Done{};
}

Result<Done> Store::begin() {
  return database_.run("BEGIN IMMEDIATE");
}

Result<Done> Store::commit() {
  return database_.run("COMMIT");
}

void Store::forget() {
  texts_.clear();
  remembered_ = 0;
}

void Store::roll_back() {
  forget();  // they may be gone
  // It fails only where SQLite has rolled back by itself.
  const auto ended = database_.run("ROLLBACK");
  static_cast<void>(ended);
}

Result<std::optional<TextId>> Store::find_text(std::string_view text) {
  return statements_[find_text_sql].bind(1, text).number();
}

Result<TextId> Store::intern(std::string_view text) {
  const std::string key(text);
  if (const auto known = texts_.find(key); known != texts_.end()) return known->second;
  auto id = find_text(text);
  if (!id) return fail(id);
  if (!*id) {
    if (const auto done = statements_[add_text_sql].bind(1, text).run(); !done) return fail(done);
    *id = database_.last_row();
  }
  if (remembered_ + key.size() > most_bytes_remembered) forget();
  remembered_ += key.size();
  texts_[key] = **id;
  return **id;
}

Result<std::string> Store::text(TextId id) {
  if (id == 0) return std::string();
  std::string value;
  const auto done =
      statements_[text_sql].bind(1, id).each([&](const Statement& row) { value = row.text(0); });
  if (!done) return fail(done);
  return value;
}

// Duplicate: it is there. None: there is room; replaced: after an unverified one was taken out.
Result<std::optional<Kept>> Store::make_room(const EntryPlace& place,
                                             const std::string& report_id) {
  std::optional<std::int64_t> unverified;
  bool there = false;
  const auto found = statements_[find_report_sql]
                         .bind(1, place.domain)
                         .bind(2, place.organization)
                         .bind(3, report_id)
                         .each([&](const Statement& row) {
                           if (row.integer(1) == 0) unverified = row.integer(0);
                           there = there || place.signer == 0 || row.integer(1) == place.signer;
                         });
  if (!found) return fail(found);
  if (there) return Kept::duplicate;
  if (!unverified) return std::nullopt;
  const auto dropped = statements_[drop_report_sql].bind(1, *unverified).run();
  if (!dropped) return fail(dropped);
  return Kept::replaced;
}

Result<Kept> Store::add(const Report& report, const std::optional<dns::Name>& domain,
                        const Origin& origin) {
  const auto domain_id = intern(domain ? domain->text() : "");
  if (!domain_id) return fail(domain_id);
  const auto organization = intern(report.organization);
  if (!organization) return fail(organization);
  EntryPlace place{.domain = *domain_id,
                   .organization = *organization,
                   .begin = report.begin,
                   .end = report.end};
  if (origin.signer) {
    const auto signer = intern(origin.signer->text());
    if (!signer) return fail(signer);
    place.signer = *signer;
  }
  const auto room = make_room(place, report.id);
  if (!room) return fail(room);
  if (*room == Kept::duplicate) return Kept::duplicate;
  const std::string deviations = join(report.deviations, "\n");
  const auto added = statements_[add_report_sql]
                         .bind(1, place.domain)
                         .bind(2, place.organization)
                         .bind(3, report.id)
                         .bind(4, place.signer)
                         .bind(5, report.contact)
                         .bind(6, seconds(report.begin))
                         .bind(7, seconds(report.end))
                         .bind(8, deviations)
                         .bind(9, origin.source)
                         .bind(10, seconds(origin.arrived))
                         .run();
  if (!added) return fail(added);
  place.report = database_.last_row();
  const bool twice = counts_sessions_twice(report, domain);
  for (const PolicyEntry& entry : report.policies) {
    if (entry.domain != domain) continue;
    place.counted = !(twice && entry.type == PolicyType::tlsa);
    if (const auto done = add_entry(entry, place); !done) return fail(done);
    ++place.position;
  }
  return room->value_or(Kept::stored);
}

Result<Done> Store::add_entry(const PolicyEntry& entry, const EntryPlace& place) {
  std::optional<TextId> policy;
  if (!entry.policy.empty()) {
    const auto id = intern(entry.policy);
    if (!id) return fail(id);
    policy = *id;
  }
  const std::uint64_t explained = sum_of(entry.failures);
  const auto added = statements_[add_policy_sql]
                         .bind(1, place.report)
                         .bind(2, place.position)
                         .bind(3, place.domain)
                         .bind(4, place.organization)
                         .bind(5, place.signer)
                         .bind(6, seconds(place.begin))
                         .bind(7, seconds(place.end))
                         .bind(8, static_cast<std::int64_t>(entry.type))
                         .bind(9, policy)
                         .bind(10, std::int64_t{place.counted})
                         .bind(11, static_cast<std::int64_t>(entry.successful))
                         .bind(12, static_cast<std::int64_t>(std::max(entry.failed, explained)))
                         .run();
  if (!added) return added;
  const std::int64_t row = database_.last_row();
  std::int64_t position = 0;
  for (const FailureDetail& failure : entry.failures)
    if (const auto done = add_failure(row, position++, failure); !done) return done;
  if (entry.failed <= explained) return Done{};
  FailureDetail rest{.result = ResultType::unspecified, .sessions = entry.failed - explained};
  return add_failure(row, position, rest);
}

Result<Done> Store::add_failure(std::int64_t policy, std::int64_t position,
                                const FailureDetail& failure) {
  const std::string result = failure.result == ResultType::other
                                 ? lower(failure.result_name)
                                 : std::string(to_string(failure.result));
  std::array<TextId, 7> ids{};
  std::size_t next = 0;
  for (const std::string_view text :
       {std::string_view(result), std::string_view(failure.receiving_mx),
        std::string_view(failure.receiving_helo), std::string_view(failure.sending_ip),
        std::string_view(failure.receiving_ip), std::string_view(failure.reason),
        std::string_view(failure.information)}) {
    const auto id = intern(text);
    if (!id) return fail(id);
    ids.at(next++) = *id;
  }
  return statements_[add_failure_sql]
      .bind(1, policy)
      .bind(2, position)
      .bind(3, ids[0])
      .bind(4, static_cast<std::int64_t>(failure.sessions))
      .bind(5, ids[1])
      .bind(6, ids[2])
      .bind(7, ids[3])
      .bind(8, ids[4])
      .bind(9, ids[5])
      .bind(10, ids[6])
      .run();
}

Result<bool> Store::set_aside(const std::string& reason, const std::string& content,
                              const Origin& origin) {
  const std::string digest = hex(sha256(reason + '\0' + content));
  const auto added = statements_[add_aside_sql]
                         .bind(1, digest)
                         .bind(2, reason)
                         .bind(3, origin.source)
                         .bind_blob(4, content)
                         .bind(5, seconds(origin.arrived))
                         .run();
  if (!added) return fail(added);
  const bool fresh = database_.changes() > 0;
  if (const auto done = statements_[trim_aside_sql].bind(1, most_aside).run(); !done)
    return fail(done);
  return fresh;
}

Result<std::int64_t> Store::aside_count() {
  const auto count = statements_[count_aside_sql].number();
  if (!count) return fail(count);
  return count->value_or(0);
}

Result<std::vector<Aside>> Store::aside(std::size_t most) {
  std::vector<Aside> list;
  const auto done = statements_[list_aside_sql]
                        .bind(1, static_cast<std::int64_t>(most))
                        .each([&](const Statement& row) {
                          list.push_back({time_of(row.integer(0)), row.text(1), row.text(2)});
                        });
  if (!done) return fail(done);
  return list;
}

Result<Done> Store::each_policy(const Window& window,
                                const std::function<void(const PolicyRow&)>& take) {
  Statement& select = statements_[window.domain ? policies_of_domain_sql : policies_sql];
  select.bind(1, seconds(window.from)).bind(2, seconds(window.to));
  if (window.domain) select.bind(3, *window.domain);
  return select.each([&](const Statement& row) { take(policy_row(row)); });
}

Result<Done> Store::each_failure(const Window& window,
                                 const std::function<void(const FailureRow&)>& take) {
  Statement& select = statements_[window.domain ? failures_of_domain_sql : failures_sql];
  select.bind(1, seconds(window.from)).bind(2, seconds(window.to));
  if (window.domain) select.bind(3, *window.domain);
  return select.each([&](const Statement& row) { take(failure_row(row)); });
}

Result<std::vector<std::string>> Store::domains() {
  std::vector<std::string> list;
  const auto done =
      statements_[domains_sql].each([&](const Statement& row) { list.push_back(row.text(0)); });
  if (!done) return fail(done);
  return list;
}

}  // namespace stsctl::reports
