#pragma once
// What reports say in sum. Pure: fed with rows, no store and no clock.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "reports/result_type.h"
#include "reports/rows.h"

namespace stsctl::reports {

/// Sessions as senders counted them; the two entries that Microsoft makes of a session are one.
struct Sessions {
  std::uint64_t successful = 0;
  std::uint64_t failed = 0;
  /// Of the successful ones, those whose TLS was validated by MTA-STS or DANE. The others had no
  /// policy to go by.
  std::uint64_t validated = 0;

  std::uint64_t total() const { return successful + failed; }
  /// 0 to 1; 0 when there are none.
  double failure_share() const;
  double validated_share() const;
  Sessions& operator+=(const Sessions& other);
  bool operator==(const Sessions&) const = default;
};

/// Failed sessions of one result type.
struct ResultLine {
  std::string name;  ///< As reported.
  ResultType type = ResultType::other;
  std::uint64_t sessions = 0;
  std::vector<std::string> domains;        ///< Sorted.
  std::vector<std::string> organizations;  ///< Sorted.
  std::vector<std::string> reasons;        ///< The reason codes given, most sessions first, some.
  Time last;                               ///< When the last report of it begins.
};

struct OrganizationLine {
  std::string name;
  std::uint64_t reports = 0;
  std::uint64_t verified_reports = 0;
  std::vector<std::string> signers;  ///< Who signed the verified ones.
  Sessions sessions;
  Time last;
};

/// An MX host with failures. Reports do not say which host took a session that went well.
struct MxLine {
  std::string host;  ///< "" where senders did not say.
  std::uint64_t sessions = 0;
  std::vector<std::pair<std::string, std::uint64_t>> results;  ///< By name, most first.
};

/// A sender that applied another policy than the current one in its last report.
struct Lagging {
  std::string organization;
  std::string policy;  ///< Canonical.
  Time last;           ///< When that report begins.
};

/// How far senders' caches follow a domain's current MTA-STS policy.
struct Following {
  std::string current;           ///< Canonical; "" when no report names one.
  bool published = false;        ///< `current` was given, not taken from the newest report.
  std::uint64_t on_current = 0;  ///< Sessions under it.
  std::uint64_t on_older = 0;    ///< Sessions under another.
  std::uint64_t unnamed = 0;     ///< MTA-STS sessions of entries that name no policy.
  std::vector<Lagging> lagging;  ///< By organization.
};

struct DomainLine {
  std::string name;  ///< "" where the sender left it out.
  std::uint64_t reports = 0;
  Sessions sessions;
  Following following;
};

struct DayLine {
  Day day;
  Sessions sessions;
};

struct Summary {
  std::uint64_t reports = 0;
  std::uint64_t verified_reports = 0;
  Sessions sessions;
  std::vector<ResultLine> results;              ///< Most sessions first.
  std::vector<OrganizationLine> organizations;  ///< Most sessions first.
  std::vector<MxLine> mx_hosts;                 ///< Most failures first.
  std::vector<DomainLine> domains;              ///< By name.
  std::vector<DayLine> days;                    ///< In order; days without sessions are left out.
};

/// Adds rows up. The sums grow with the number of domains, organizations and policies, not with
/// that of reports.
class Tally {
 public:
  void add(const PolicyRow& row);
  void add(const FailureRow& row);

  /// The text of a number that occurs in the rows.
  using TextOf = std::function<std::string(TextId)>;
  /// The canonical policy that a domain publishes now; none where it is not known: then the one
  /// that the newest report names counts as current.
  using PolicyOf = std::function<std::optional<std::string>(const std::string& domain)>;
  Summary summary(const TextOf& text_of, const PolicyOf& policy_of = {}) const;

 private:
  // What belongs together: sums of one kind.
  struct Key {
    TextId domain, organization, policy, signer;
    PolicyType type;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Cell {
    Sessions counted;            // each session once
    std::uint64_t sessions = 0;  // all that the entries name
    std::uint64_t reports = 0;
    Time first = Time::max();
    Time last;
  };
  struct FailureKey {
    TextId result, mx, domain, organization, reason;
    auto operator<=>(const FailureKey&) const = default;
  };
  struct FailureCell {
    std::uint64_t sessions = 0;
    Time last;
  };

  std::vector<OrganizationLine> organizations(const TextOf& text_of) const;
  std::vector<DomainLine> domains(const TextOf& text_of, const PolicyOf& policy_of) const;
  std::vector<ResultLine> results(const TextOf& text_of) const;
  std::vector<MxLine> mx_hosts(const TextOf& text_of) const;

  std::unordered_map<Key, Cell, KeyHash> cells_;
  std::map<FailureKey, FailureCell> failures_;
  std::map<Day, Sessions> days_;
  Day day_{};  // of the row before
  Sessions* of_day_ = nullptr;
};

}  // namespace stsctl::reports
