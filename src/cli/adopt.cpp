#include "cli/adopt.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "engine/verdict.h"
#include "sts/record.h"

namespace stsctl::cli {

namespace {

// Double-quoted YAML, since a pattern may begin with '*' and a URI may hold anything printable.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string list(const std::vector<std::string>& values) {
  std::vector<std::string> items;
  for (const std::string& value : values)
    items.push_back(quoted(value));
  return "[" + join(items, ", ") + "]";
}

std::string policy_line(const std::optional<sts::Policy>& policy) {
  if (!policy) return "    policy: null  # none is served that senders can read\n";
  std::vector<std::string> mx;
  for (const sts::MxPattern& pattern : policy->mx)
    mx.push_back(sts::format_mx_pattern(pattern));
  const Duration max_age = std::max(policy->max_age, sts::min_published_max_age);
  std::string line = fmt::format("    policy: {{mode: {}, max_age: {}",
                                 sts::to_string(policy->mode), format_duration(max_age));
  if (!mx.empty()) line += ", mx: " + list(mx);
  line += "}";
  if (max_age != policy->max_age)
    line += fmt::format("  # published: {}, which some senders reject",
                        format_duration(policy->max_age));
  return line + "\n";
}

constexpr std::string_view unmanaged = "    tlsrpt: null";

std::string tlsrpt_line(const engine::Facts& facts) {
  if (!facts.tlsrpt) return fmt::format("{}  # it could not be read\n", unmanaged);
  const auto record = sts::parse_tlsrpt_records(facts.tlsrpt->values).value;
  if (!record) return fmt::format("{}  # no valid record is published\n", unmanaged);
  return fmt::format("    tlsrpt: {{rua: {}}}\n", list(record->rua));
}

std::string address_line(const engine::Facts& facts) {
  if (!facts.a || !facts.aaaa) return "    address: null  # it could not be read\n";
  const io::DnsAnswer& aliased = facts.a->aliases.empty() ? *facts.aaaa : *facts.a;
  if (!aliased.aliases.empty())
    return fmt::format("    address: {{cname: {}}}\n", quoted(aliased.aliases.front()));
  std::vector<std::string> parts;
  if (!facts.a->values.empty()) parts.push_back("a: " + list(facts.a->values));
  if (!facts.aaaa->values.empty()) parts.push_back("aaaa: " + list(facts.aaaa->values));
  return parts.empty() ? "" : fmt::format("    address: {{{}}}\n", join(parts, ", "));
}

std::string alias_lines(const engine::Facts& facts) {
  std::string lines;
  for (const auto* answer : {&facts.sts, &facts.tlsrpt})
    if (*answer && !(*answer)->aliases.empty())
      lines += fmt::format("    # A record is a CNAME to {}: 'takeover: true' would replace it.\n",
                           printable((*answer)->aliases.front()));
  return lines;
}

}  // namespace

std::string domains_yaml(const std::vector<engine::Facts>& facts) {
  std::string text = "domains:\n";
  for (const engine::Facts& one : facts) {
    const std::optional<sts::Policy> policy = engine::judge(one).policy;
    const std::string tlsrpt = tlsrpt_line(one);
    if (!policy && tlsrpt.starts_with(unmanaged))
      text += fmt::format("  # {}: neither a policy nor TLS-RPT is published\n", one.domain.text());
    else
      text += fmt::format("  {}:\n{}{}{}{}", one.domain.text(), alias_lines(one),
                          policy_line(policy), tlsrpt, address_line(one));
  }
  return text;
}

}  // namespace stsctl::cli
