#pragma once
// A TLS-RPT report (RFC 8460 §4) as a value. Every text in it is printable: control characters,
// terminal escapes and ill-formed UTF-8 stand as \xNN.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/name.h"
#include "reports/result_type.h"

namespace stsctl::reports {

/// What a sender applied to the sessions of one entry (RFC 8460 §4.4 "policy-type").
enum class PolicyType {
  sts,              ///< An MTA-STS policy.
  tlsa,             ///< DANE.
  no_policy_found,  ///< Neither: the sender validated nothing.
  other,            ///< A word outside the RFC. Shown, and proves nothing.
};
const char* to_string(PolicyType type);

/// Some failed sessions with what is known of them (RFC 8460 §4.3); texts are empty where the
/// sender left them out.
struct FailureDetail {
  ResultType result = ResultType::other;
  std::string result_name;  ///< As written.
  std::string sending_ip;
  std::string receiving_mx;  ///< Lower case.
  std::string receiving_helo;
  std::string receiving_ip;
  std::uint64_t sessions = 0;
  std::string information;  ///< Outside text: never followed as a link.
  std::string reason;
  bool operator==(const FailureDetail&) const = default;
};

/// The sessions with one domain under one policy.
struct PolicyEntry {
  PolicyType type = PolicyType::other;
  /// None where the sender left it out, as Postfix does where it found no policy. Never none for
  /// sts and tlsa.
  std::optional<dns::Name> domain;
  /// What the sender applied: an sts policy that can be read in its canonical form
  /// (canonical_policy()), anything else line by line; empty if it was left out.
  std::string policy;
  std::vector<std::string> mx;  ///< Patterns of the hosts, as the sender sent them.
  std::uint64_t successful = 0;
  std::uint64_t failed = 0;
  std::vector<FailureDetail> failures;
  bool operator==(const PolicyEntry&) const = default;
};

/// One report.
struct Report {
  std::string organization;
  std::string contact;  ///< May be empty.
  std::string id;
  Time begin, end;  ///< begin <= end; mostly one day in UTC.
  std::vector<PolicyEntry> policies;
  /// Where it deviates from RFC 8460 and was read all the same: "contact-info is missing".
  std::vector<std::string> deviations;
  bool operator==(const Report&) const = default;
};

/// What a report may be at most. A sender's day for a large domain stays far below.
struct ReportLimits {
  std::size_t bytes = std::size_t{8} << 20U;
  std::size_t depth = 12;                       ///< Objects and arrays in each other.
  std::size_t values = 200'000;                 ///< JSON values in all.
  std::uint64_t sessions = 1'000'000'000'000U;  ///< In one count.
  Duration range = std::chrono::days{32};       ///< From begin to end.
};

/// Reads one report. Tolerant where real senders deviate, each time with a line in `deviations`:
/// times without a zone (UTC then), an mx-host that is no list, fields left out that nothing hangs
/// on, unknown policy types. Code::invalid with the reason for anything else that is outside
/// RFC 8460 or I-JSON (RFC 7493): also a name that stands twice, counts that are no whole numbers,
/// and a range that begins before 2016 or ends more than two days after `now`.
Result<Report> read_report(std::string_view text, Time now, const ReportLimits& limits = {});

/// The form in which MTA-STS policies are compared: that of sts::format_policy with the mx patterns
/// sorted and each once, and LF line ends. What is no valid policy stays as it is, blank lines and
/// blanks round lines apart, printable and cut at 4,000 bytes.
std::string canonical_policy(std::string_view text);

/// The date-time of a report: RFC 3339 with any offset and fractions of seconds, which are dropped;
/// without an offset it is taken for UTC and `zoned` is set to false. Code::invalid else.
Result<Time> parse_report_time(std::string_view text, bool& zoned);

}  // namespace stsctl::reports
