#include "providers/aws/route53_wire.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "base/text.h"
#include "providers/aws/xml.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::size_t longest_string = 255;  // RFC 1035 §3.3

std::unexpected<Error> unexpected_xml(std::string_view what) {
  return fail(Code::protocol, fmt::format("the answer is not the {} expected", what), {},
              "does 'endpoint' name Route 53?");
}

bool is_true(const pugi::xml_node& parent, const char* name) {
  return text_of(parent, name) == "true";
}

// "/hostedzone/Z1" and "/change/C1" hold an id; so does the id alone.
std::string id_of(const pugi::xml_node& parent) {
  const std::string id = text_of(parent, "Id");
  return id.substr(id.rfind('/') + 1);
}

// What makes a set more than a name, a type, a TTL and values; "" if nothing does.
std::string special(const pugi::xml_node& set) {
  constexpr std::array<std::pair<const char*, const char*>, 8> marks{{
      {"Weight", "a weighted"},
      {"Region", "a latency"},
      {"Failover", "a failover"},
      {"GeoLocation", "a geolocation"},
      {"GeoProximityLocation", "a geoproximity"},
      {"CidrRoutingConfig", "an IP-based"},
      {"MultiValueAnswer", "a multivalue answer"},
      {"SetIdentifier", "some"},
  }};
  const std::string type = printable(text_of(set, "Type"));
  if (set.child("TrafficPolicyInstanceId"))
    return fmt::format("{} records of a traffic policy", type);
  for (const auto& [element, policy] : marks)
    if (set.child(element)) return fmt::format("{} records under {} routing policy", type, policy);
  if (const pugi::xml_node alias = set.child("AliasTarget"))
    return fmt::format("an alias ({}) for {}", type, printable(text_of(alias, "DNSName")));
  if (set.child("HealthCheckId")) return fmt::format("{} records with a health check", type);
  return {};
}

Result<ApiSet> parse_set(const pugi::xml_node& node) {
  ApiSet set{.name = text_of(node, "Name"), .type = text_of(node, "Type"), .locked = special(node)};
  if (set.name.empty() || set.type.empty()) return unexpected_xml("record set");
  const pugi::xml_node ttl = node.child("TTL");
  if (!ttl && set.locked.empty()) return unexpected_xml("record set");
  set.ttl = Duration(ttl.text().as_llong(-1));
  if (set.locked.empty() && set.ttl.count() < 0) return unexpected_xml("TTL");
  for (const pugi::xml_node record : node.child("ResourceRecords"))
    set.values.emplace_back(record.child("Value").text().get());
  if (set.locked.empty() && set.values.empty()) return unexpected_xml("record set");
  return set;
}

// The root of an answer, if it is the one called `name`.
Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view xml,
                               std::string_view name) {
  if (!document.load_buffer(xml.data(), xml.size()) || name != document.document_element().name())
    return unexpected_xml(name);
  return document.document_element();
}

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// The byte that the escape after a backslash stands for, and how long the escape is.
std::pair<char, std::size_t> unescaped(std::string_view rest) {
  const bool octal = rest.size() >= 3 && rest[0] <= '3' && is_octal(rest[0]) && is_octal(rest[1]) &&
                     is_octal(rest[2]);
  if (!octal) return {rest.empty() ? '\\' : rest[0], rest.empty() ? 0 : 1};
  return {static_cast<char>((rest[0] - '0') * 64 + (rest[1] - '0') * 8 + (rest[2] - '0')), 3};
}

// Names may hold octal escapes too.
std::string decode_name(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      name += text[i];
      continue;
    }
    const auto [byte, length] = unescaped(text.substr(i + 1));
    name += byte;
    i += length;
  }
  return name;
}

Result<std::string> decode(dns::Type type, const std::string& value) {
  if (type == dns::Type::txt) return decode_api_txt(value);
  return type == dns::Type::cname ? decode_name(value) : value;
}

Result<dns::RecordSet> plain_set(const ApiSet& set, const dns::Name& owner) {
  const dns::Type type = dns::parse_type(set.type);
  std::vector<std::string> values;
  if (type != dns::Type::other)
    for (const std::string& stored : set.values) {
      Result<std::string> value = decode(type, stored);
      if (!value) return fail(value);
      values.push_back(std::move(*value));
    }
  return dns::make_record_set(owner, type, set.ttl, std::move(values));
}

}  // namespace

std::string plain_name(std::string_view spelled) {
  if (spelled.ends_with('.')) spelled.remove_suffix(1);
  return lower(spelled);
}

Result<ZonePage> parse_zones(std::string_view xml) {
  pugi::xml_document document;
  const Result<pugi::xml_node> root = root_of(document, xml, "ListHostedZonesByNameResponse");
  if (!root) return fail(root);
  if (!root->child("HostedZones") || !root->child("IsTruncated")) return unexpected_xml("list");
  ZonePage page;
  for (const pugi::xml_node node : root->child("HostedZones")) {
    HostedZone zone{.id = id_of(node),
                    .name = text_of(node, "Name"),
                    .is_private = is_true(node.child("Config"), "PrivateZone"),
                    .owner = text_of(node.child("LinkedService"), "ServicePrincipal")};
    if (!is_id(zone.id) || zone.name.empty()) return unexpected_xml("zone");
    page.zones.push_back(std::move(zone));
  }
  if (!is_true(*root, "IsTruncated")) return page;
  page.next = {text_of(*root, "NextDNSName"), text_of(*root, "NextHostedZoneId")};
  if (page.next->name.empty()) return unexpected_xml("page of zones");
  page.next->id = page.next->id.substr(page.next->id.rfind('/') + 1);
  return page;
}

Result<RecordPage> parse_record_sets(std::string_view xml) {
  pugi::xml_document document;
  const Result<pugi::xml_node> root = root_of(document, xml, "ListResourceRecordSetsResponse");
  if (!root) return fail(root);
  if (!root->child("ResourceRecordSets") || !root->child("IsTruncated"))
    return unexpected_xml("list");
  RecordPage page;
  for (const pugi::xml_node node : root->child("ResourceRecordSets")) {
    Result<ApiSet> set = parse_set(node);
    if (!set) return fail(set);
    page.sets.push_back(std::move(*set));
  }
  if (!is_true(*root, "IsTruncated")) return page;
  page.next = {text_of(*root, "NextRecordName"), text_of(*root, "NextRecordType"),
               text_of(*root, "NextRecordIdentifier")};
  if (page.next->name.empty()) return unexpected_xml("page of record sets");
  return page;
}

Result<ChangeInfo> parse_change(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return unexpected_xml("change");
  const pugi::xml_node info = document.document_element().child("ChangeInfo");
  const std::string status = text_of(info, "Status");
  ChangeInfo change{.id = id_of(info), .in_sync = status == "INSYNC"};
  if (!is_id(change.id) || (status != "INSYNC" && status != "PENDING"))
    return unexpected_xml("change");
  return change;
}

std::string encode_api_txt(std::string_view value) {
  std::string out;
  for (std::size_t begin = 0; begin == 0 || begin < value.size(); begin += longest_string) {
    out += begin == 0 ? "\"" : " \"";
    for (const char c : value.substr(begin, longest_string)) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\')
        out += fmt::format("\\{}", c);
      else if (byte < 0x20 || byte > 0x7E)
        out += fmt::format("\\{:03o}", byte);
      else
        out += c;
    }
    out += '"';
  }
  return out;
}

Result<std::string> decode_api_txt(std::string_view text) {
  std::string value;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '\\') {
      const auto [byte, length] = unescaped(text.substr(i + 1));
      value += byte;
      i += length;
    } else if (quoted || (c != ' ' && c != '\t')) {
      value += c;
    }
  }
  if (quoted) return fail(Code::protocol, "a quote stays open in a TXT value");
  return value;
}

dns::RecordSet record_set(const ApiSet& set, const dns::Name& owner) {
  if (!set.locked.empty()) return {owner, dns::Type::locked, std::chrono::seconds{0}, {set.locked}};
  return plain_set(set, owner).value_or(dns::unreadable_set(owner, set.type));
}

}  // namespace stsctl::providers::aws
