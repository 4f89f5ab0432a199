#pragma once
// What the store holds, as sums are made of it: numbers, and numbers for texts.

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "reports/report.h"

namespace stsctl::reports {

/// The number of a text in a store. 0: no text.
using TextId = std::int64_t;

/// Which reports are asked about: those that begin within [from, to).
struct Window {
  std::optional<TextId> domain;  ///< None: all.
  Time from, to;
};

/// One entry of a report.
struct PolicyRow {
  TextId domain = 0;
  TextId organization = 0;
  TextId signer = 0;  ///< 0: unverified.
  TextId policy = 0;  ///< 0: the sender left it out.
  PolicyType type = PolicyType::other;
  bool first = false;    ///< The first entry of its report: counts reports.
  bool counted = false;  ///< Its sessions stand in no other entry.
  Time begin, end;
  std::uint64_t successful = 0;
  std::uint64_t failed = 0;  ///< At least the sum of its failures.
};

/// Failed sessions of an entry.
struct FailureRow {
  TextId domain = 0;
  TextId organization = 0;
  TextId signer = 0;
  TextId policy = 0;
  PolicyType type = PolicyType::other;
  Time begin;
  TextId result = 0;
  TextId mx = 0;
  TextId reason = 0;
  std::uint64_t sessions = 0;
};

/// Something that could not be read.
struct Aside {
  Time arrived;
  std::string source;
  std::string reason;
  bool operator==(const Aside&) const = default;
};

/// Where an entry stands.
struct EntryPlace {
  std::int64_t report = 0;
  std::int64_t position = 0;
  TextId domain = 0;
  TextId organization = 0;
  TextId signer = 0;
  Time begin, end;
  bool counted = true;
};

}  // namespace stsctl::reports
