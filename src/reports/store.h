#pragma once
// The store of reports: one SQLite file, each report once.

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/name.h"
#include "reports/report.h"
#include "reports/rows.h"
#include "reports/sqlite.h"

namespace stsctl::reports {

/// Where a report came from.
struct Origin {
  std::string source;               ///< For people.
  std::optional<dns::Name> signer;  ///< Who signed it, verified; none: unverified.
  Time arrived;
};

/// What became of a report.
enum class Kept {
  stored,     ///< New.
  replaced,   ///< It was there, unverified; this one is verified.
  duplicate,  ///< It was there.
};

/// One open store. Calls come from one thread at a time; other processes may use the file
/// meanwhile (WAL). Errors carry the file's path in `where`.
class Store {
 public:
  /// Opens the file, makes or migrates its tables. Code::not_found when it must exist and does not;
  /// otherwise as migrate() says.
  static Result<Store> open(const std::string& path, Database::Mode mode);

  /// What stands between is written at once or not at all, and costs one wait for the disk.
  Result<Done> begin();
  Result<Done> commit();
  void roll_back();

  /// Stores what a report says of `domain`: those of its entries, and of one left out the ones
  /// without a domain. A report is known by its domain, organization and id, and a verified one by
  /// its signer too: nobody can keep another's report out by sending one of the same id before it.
  /// A verified one takes the place of an unverified one.
  Result<Kept> add(const Report& report, const std::optional<dns::Name>& domain,
                   const Origin& origin);
  /// Keeps what could not be read, at most the newest 1,000. False: that very thing was there.
  Result<bool> set_aside(const std::string& reason, const std::string& content,
                         const Origin& origin);

  /// How many things were set aside and are kept.
  Result<std::int64_t> aside_count();
  /// What was set aside, newest first, at most `most`: when, from where, why.
  Result<std::vector<Aside>> aside(std::size_t most);

  /// Calls `take` for each entry, or failure, of a report that begins within [from, to) and is
  /// about `domain`, or any domain.
  Result<Done> each_policy(const Window& window, const std::function<void(const PolicyRow&)>& take);
  Result<Done> each_failure(const Window& window,
                            const std::function<void(const FailureRow&)>& take);

  /// The number of a text; none if it stands nowhere in the store.
  Result<std::optional<TextId>> find_text(std::string_view text);
  Result<std::string> text(TextId id);
  /// Every domain that a report is about.
  Result<std::vector<std::string>> domains();

 private:
  explicit Store(Database database) : database_(std::move(database)) {}
  Result<Done> prepare();
  Result<TextId> intern(std::string_view text);
  void forget();
  Result<std::optional<Kept>> make_room(const EntryPlace& place, const std::string& report_id);
  Result<Done> add_entry(const PolicyEntry& entry, const EntryPlace& place);
  Result<Done> add_failure(std::int64_t policy, std::int64_t position,
                           const FailureDetail& failure);

  Database database_;
  std::unordered_map<std::string, TextId> texts_;  // those used lately
  std::size_t remembered_ = 0;                     // their bytes
  std::vector<Statement> statements_;              // in the order of store.cpp's table
};

}  // namespace stsctl::reports
