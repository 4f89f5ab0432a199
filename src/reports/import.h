#pragma once
// From what arrives to what is stored.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reports/inbox.h"
#include "reports/store.h"

namespace stsctl::reports {

/// What became of what was found, counted once for each domain that a report is about.
struct ImportCounts {
  std::size_t stored = 0;
  std::size_t replaced = 0;    ///< Unverified ones that verified ones took the place of.
  std::size_t duplicates = 0;  ///< Were there.
  std::size_t verified = 0;    ///< Of those stored or replaced.
  std::size_t set_aside = 0;   ///< Could not be read, or are about domains that are not ours.
  std::size_t found() const { return stored + replaced + duplicates + set_aside; }
};

/// Something set aside.
struct Refusal {
  std::string source;
  std::string reason;
};

struct ImportOptions {
  ReportLimits limits = {};
  /// Is a domain ours? Reports about others are set aside. Empty: every domain is.
  std::function<bool(const dns::Name&)> ours = {};
  /// Called for each thing set aside.
  std::function<void(const Refusal&)> refused = {};
};

/// Takes arrivals into a store, a batch in one transaction.
class Importer {
 public:
  Importer(Store& store, Time now, ImportOptions options)
      : store_(store), now_(now), options_(std::move(options)) {}

  /// Reads one arrival and stores it or sets it aside. An error is the store's, not the report's;
  /// what was taken since the last batch is then lost, and may be imported again.
  Result<Done> take(Arrival arrival);
  /// Ends the last batch.
  Result<Done> finish();

  const ImportCounts& counts() const { return counts_; }

 private:
  Result<Done> store(Report report, const Arrival& arrival);
  Result<Done> set_aside(const std::string& reason, const std::string& content,
                         const Arrival& arrival);
  Result<Done> in_batch();
  void count(Kept kept, bool verified);

  Store& store_;
  Time now_;
  ImportOptions options_;
  ImportCounts counts_;
  std::size_t in_batch_ = 0;
};

}  // namespace stsctl::reports
