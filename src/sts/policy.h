#pragma once
// The MTA-STS policy file (RFC 8461 §3.2) as a value.

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "dns/name.h"
#include "sts/finding.h"
#include "sts/mx_pattern.h"

namespace stsctl::sts {

/// RFC 8461 §3.2 "mode", mildest first.
enum class Mode {
  none,     ///< As if there were no policy.
  testing,  ///< Failures are reported, mail is delivered all the same.
  enforce,  ///< Mail is not delivered to a host that fails.
};

const char* to_string(Mode mode);
/// Exactly "none", "testing" or "enforce" (case-sensitive, RFC 8461 §3.2).
Result<Mode> parse_mode(std::string_view text);

/// Limits of max_age: the RFC's maximum, and the smallest that every known sender accepts.
inline constexpr Duration max_max_age{31557600};
inline constexpr Duration min_published_max_age{86400};
/// Where senders read it, below https://mta-sts.DOMAIN.
inline constexpr std::string_view policy_path = "/.well-known/mta-sts.txt";

/// What https://mta-sts.DOMAIN/.well-known/mta-sts.txt says.
struct Policy {
  Mode mode = Mode::none;
  std::vector<MxPattern> mx;  ///< In the order written; at least one unless mode is none.
  Duration max_age{0};        ///< 0 to max_max_age.
  bool operator==(const Policy&) const = default;
};

/// Reads a body as RFC 8461 §3.2 says: CRLF or LF, fields in any order, first of a repeated field
/// counts, unknown fields ignored, at most 64 KiB (§3.3). Errors name the line and the rule;
/// warnings name the senders that reject what the RFC allows.
Checked<Policy> parse_policy(std::string_view body);

/// The longest max_age that a known sender may have taken from `body`. Where parse_policy sees an
/// error or the first of a repeated field, many senders see a policy with another max_age; what is
/// in their caches follows them. The largest number, of 10 digits at most, that any max_age begins
/// with; at least 86400, which Stalwart makes of anything it does not like.
Duration longest_max_age(std::string_view body);

/// The canonical form, which is what is published, compared and hashed: version, mode, mx in the
/// policy's order, max_age, each ended by CRLF. Equal policies, equal bytes.
std::string format_policy(const Policy& policy);

/// Do two policies say the same? The order and repetition of mx patterns has no meaning.
bool same_policy(const Policy& left, const Policy& right);

/// Does any pattern match (RFC 8461 §4.1)?
bool matches(const Policy& policy, const dns::Name& mx_host);

/// Is a body the same policy by meaning, and in a form every sender reads? Line ends are no
/// difference; anything else is.
bool is_canonical(std::string_view body, const Policy& policy);

}  // namespace stsctl::sts
