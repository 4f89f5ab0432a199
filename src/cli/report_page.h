#pragma once
// A summary of reports as one web page that needs nothing else. Pure.

#include <string>
#include <string_view>

#include "cli/report_view.h"

namespace stsctl::cli {

/// `text` as it stands in HTML, in content and in quoted attributes.
std::string html_escaped(std::string_view text);

/// The page: no script, no network, light and dark, readable on a phone and on paper. Its
/// Content-Security-Policy allows nothing but its own style, should a text ever slip through.
std::string summary_page(const ReportView& view, Time now);

}  // namespace stsctl::cli
