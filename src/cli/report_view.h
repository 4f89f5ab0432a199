#pragma once
// A summary of reports as text and as JSON. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "reports/store.h"
#include "reports/summary.h"

namespace stsctl::cli {

/// What is shown: sums and what they are sums of.
struct ReportView {
  reports::Summary summary;
  Time from, to;                       ///< Reports that begin within [from, to).
  std::vector<std::string> domains;    ///< What --domain says; empty: all.
  std::int64_t set_aside = 0;          ///< How many things are set aside.
  std::vector<reports::Aside> newest;  ///< The newest of them.
};

std::string summary_text(const ReportView& view);
/// schemas/report-summary.schema.json.
std::string summary_json(const ReportView& view);

/// A share of 0 to 1 in percent: "0%", "99.99%"; what is not all is never "100%", what is not none
/// never "0%".
std::string percent(double share);
/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);
/// The day in UTC.
std::string day_of(Time time);

}  // namespace stsctl::cli
