#pragma once
// Verdicts as text, JSON (schemas/verify.schema.json) and what CI and monitoring read.

#include <string>
#include <vector>

#include "engine/verdict.h"

namespace stsctl::cli {

std::string verdicts_text(const std::vector<engine::Verdict>& verdicts, bool color);
std::string verdicts_json(const std::vector<engine::Verdict>& verdicts);
/// JUnit XML: a domain a test suite, a finding a test case.
std::string verdicts_junit(const std::vector<engine::Verdict>& verdicts);
/// SARIF 2.1.0: what is not as it should be, a finding a result.
std::string verdicts_sarif(const std::vector<engine::Verdict>& verdicts);
/// The Prometheus text format.
std::string verdicts_prometheus(const std::vector<engine::Verdict>& verdicts);

}  // namespace stsctl::cli
