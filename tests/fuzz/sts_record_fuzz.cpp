// TXT records from outside: nothing crashes, what is read prints and reads back the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "sts/policy_id.h"
#include "sts/record.h"

namespace sts = stsctl::sts;

namespace {
void require(bool law) {
  if (!law) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto record = sts::parse_sts_record(text);
  if (record.value) {
    require(sts::check_id(record.value->id).has_value());
    require(sts::parse_sts_record(sts::format_sts_record(*record.value)).value == record.value);
    if (const auto id = sts::parse_policy_id(record.value->id))
      require(sts::format_policy_id(*id) == record.value->id);
  } else {
    require(!sts::errors(record.findings).empty());
  }
  const auto tlsrpt = sts::parse_tlsrpt_record(text);
  if (tlsrpt.value)
    require(sts::parse_tlsrpt_record(sts::format_tlsrpt_record(*tlsrpt.value)).value ==
            tlsrpt.value);
  for (const auto& finding : record.findings)
    require(stsctl::printable(finding.message) == finding.message);
  std::vector<std::string> several;
  for (const std::string_view piece : stsctl::split(text, '\n'))
    several.emplace_back(piece);
  static_cast<void>(sts::parse_sts_records(several));
  static_cast<void>(sts::parse_tlsrpt_records(several));
  return 0;
}
