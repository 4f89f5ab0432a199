#pragma once
// What can go wrong in a session, in the words of a report (RFC 8460 §4.3), with the likely cause
// and the mend.

#include <array>
#include <string_view>

namespace stsctl::reports {

/// RFC 8460 §4.3, in its order, and two of our own for what reports leave open.
enum class ResultType {
  starttls_not_supported,
  certificate_host_mismatch,
  certificate_expired,
  certificate_not_trusted,
  validation_failure,
  tlsa_invalid,
  dnssec_invalid,
  dane_required,
  sts_policy_fetch_error,
  sts_policy_invalid,
  sts_webpki_invalid,
  other,        ///< A word that the registry did not have when this was written.
  unspecified,  ///< Failed sessions that the report counts and gives no details of.
};
inline constexpr std::size_t result_type_count = 13;

/// What is told about a result type.
struct ResultInfo {
  ResultType type;
  std::string_view name;   ///< As it stands in reports: "certificate-expired".
  std::string_view cause;  ///< The likely cause, one sentence.
  std::string_view mend;   ///< What to do about it, one sentence.
  /// Does it speak of DANE alone? It is shown, and stands in the way of no MTA-STS policy.
  bool dane;
};

/// One for each type, in the order of the enumeration.
const std::array<ResultInfo, result_type_count>& result_types();
const ResultInfo& info(ResultType type);
inline std::string_view to_string(ResultType type) {
  return info(type).name;
}
/// The type of that name, in any case; `other` for a name that is not known.
ResultType parse_result_type(std::string_view name);

}  // namespace stsctl::reports
