#pragma once
// Reads the XML of the Route 53 API (2013-04-01). Pure; knows no connection.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/record_set.h"

namespace stsctl::providers::aws {

/// A zone as it is listed. Names are as the service spells them: lower case, with a final dot,
/// unusual characters as \ooo.
struct HostedZone {
  std::string id;  ///< "Z1234", without "/hostedzone/".
  std::string name;
  bool is_private = false;
  std::string owner;  ///< The AWS service that made it and keeps it; "": the account.
  bool operator==(const HostedZone&) const = default;
};

/// Where a page of zones begins.
struct ZoneMarker {
  std::string name;
  std::string id;  ///< "": with the first zone of that name.
  bool operator==(const ZoneMarker&) const = default;
};

struct ZonePage {
  std::vector<HostedZone> zones;
  std::optional<ZoneMarker> next;  ///< None: this is the last.
};

/// A record set as the service keeps it.
struct ApiSet {
  std::string name;  ///< As the service spells it.
  std::string type;  ///< "TXT".
  Duration ttl{0};
  std::vector<std::string> values;  ///< As they are stored: DELETE must repeat them.
  std::string locked;               ///< What it is, for people, if it is more than a plain set.
  bool operator==(const ApiSet&) const = default;
};

/// Where a page of record sets begins.
struct RecordMarker {
  std::string name;
  std::string type;        ///< "": with the first type.
  std::string identifier;  ///< Of a set under a routing policy.
  bool operator==(const RecordMarker&) const = default;
};

struct RecordPage {
  std::vector<ApiSet> sets;
  std::optional<RecordMarker> next;
};

/// A name as the service spells it, in the form of dns::Name: lower case, without the final dot.
std::string plain_name(std::string_view spelled);

/// A change that was accepted.
struct ChangeInfo {
  std::string id;        ///< "C1234", without "/change/".
  bool in_sync = false;  ///< Every name server of the zone serves it.
};

/// The answers of ListHostedZonesByName, ListResourceRecordSets, and of ChangeResourceRecordSets
/// and GetChange. Code::protocol when the text is not what the API sends.
Result<ZonePage> parse_zones(std::string_view xml);
Result<RecordPage> parse_record_sets(std::string_view xml);
Result<ChangeInfo> parse_change(std::string_view xml);

/// TXT as the service stores it, between the bytes of all its strings: quoted strings of at most
/// 255 bytes, `"` and `\` behind a backslash, what is no printable ASCII as \ooo, octal.
std::string encode_api_txt(std::string_view value);
/// Code::protocol on an open quote.
Result<std::string> decode_api_txt(std::string_view text);

/// The set in canonical form: Type::locked for one that is more than a plain set or whose values
/// cannot be read, so that it only stops who would write there.
dns::RecordSet record_set(const ApiSet& set, const dns::Name& owner);

}  // namespace stsctl::providers::aws
