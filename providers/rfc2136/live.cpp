#include "providers/rfc2136/live.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::rfc2136 {

namespace {

using plan::RecordEdit;

std::unexpected<Error> malformed(const Record& record) {
  return fail(
      Code::protocol,
      fmt::format("the server sent a {} record that breaks its format", type_name(record.type)),
      record.owner);
}

// The text of an uncompressed name; nothing when it runs past the end or is the root.
std::optional<std::string> read_name(std::span<const std::uint8_t> bytes) {
  std::string name;
  while (!bytes.empty() && bytes[0] != 0) {
    const std::size_t length = bytes[0];
    if (length > 63 || length >= bytes.size()) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const std::uint8_t byte : bytes.subspan(1, length))
      name += static_cast<char>(byte);
    bytes = bytes.subspan(1 + length);
  }
  if (bytes.size() != 1) return std::nullopt;
  return name;
}

std::optional<std::string> read_txt(std::span<const std::uint8_t> bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = bytes[0];
    if (length >= bytes.size()) return std::nullopt;
    for (const std::uint8_t byte : bytes.subspan(1, length))
      text += static_cast<char>(byte);
    bytes = bytes.subspan(1 + length);
  }
  return text;
}

std::optional<std::string> read_address(int family, std::span<const std::uint8_t> bytes) {
  if (bytes.size() != (family == AF_INET ? 4U : 16U)) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  return std::string(inet_ntop(family, bytes.data(), buffer.data(), buffer.size()));
}

std::optional<std::string> read_mx(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 3) return std::nullopt;
  const std::optional<std::string> host = read_name(bytes.subspan(2));
  if (!host) return std::nullopt;
  return fmt::format("{} {}.", bytes[0] << 8 | bytes[1], *host);
}

std::optional<std::string> read_value(const Record& record) {
  switch (record.type) {
    case type::a:
      return read_address(AF_INET, record.rdata);
    case type::aaaa:
      return read_address(AF_INET6, record.rdata);
    case type::cname:
      return read_name(record.rdata);
    case type::mx:
      return read_mx(record.rdata);
    default:
      return read_txt(record.rdata);
  }
}

void append_string(Bytes& out, std::string_view text) {
  out.push_back(static_cast<std::uint8_t>(text.size()));
  out.insert(out.end(), text.begin(), text.end());
}

// The wire form of a canonical value. Total: RecordSet's values are valid for their type.
Bytes write_value(dns::Type type, const std::string& value) {
  Bytes out;
  switch (type) {
    case dns::Type::a:
    case dns::Type::aaaa:
      out.resize(type == dns::Type::a ? 4 : 16);
      inet_pton(type == dns::Type::a ? AF_INET : AF_INET6, value.c_str(), out.data());
      break;
    case dns::Type::cname:
      for (const std::string_view label : split(value, '.'))
        append_string(out, label);
      out.push_back(0);
      break;
    default:
      for (const std::string& string : dns::txt_strings(value))
        append_string(out, string);
  }
  return out;
}

bool is_dnssec(std::uint16_t code) {
  return code == type::rrsig || code == type::nsec || code == type::nsec3;
}

dns::Type known_type(std::uint16_t code) {
  for (const dns::Type known :
       {dns::Type::a, dns::Type::aaaa, dns::Type::cname, dns::Type::txt, dns::Type::mx})
    if (type_code(known) == code) return known;
  return dns::Type::other;
}

const LiveSet* find_live(const std::vector<LiveSet>& live, const dns::RecordSet& wanted) {
  const auto found = std::ranges::find_if(live, [&](const LiveSet& one) {
    return one.set.owner == wanted.owner && one.set.type == wanted.type;
  });
  return found == live.end() ? nullptr : &*found;
}

bool is_done(const RecordEdit& edit, const LiveSet* now) {
  return edit.after ? now != nullptr && now->set == *edit.after : now == nullptr;
}

// RFC 2136 §2.4: what must hold for this edit to happen.
void require(Update& update, const RecordEdit& edit, const LiveSet* now, bool owner_is_empty) {
  const dns::RecordSet& set = subject(edit);
  const std::string& owner = set.owner.text();
  if (now != nullptr) {
    for (const Record& record : now->records)
      update.prerequisites.push_back({owner, record.type, record_class::in, 0, record.rdata});
    return;
  }
  // A CNAME goes only where nothing is, anything else only where no CNAME is.
  if (set.type == dns::Type::cname && owner_is_empty) {
    update.prerequisites.push_back({owner, type::any, record_class::none, 0, {}});
    return;
  }
  update.prerequisites.push_back({owner, type_code(set.type), record_class::none, 0, {}});
  if (owner_is_empty)
    update.prerequisites.push_back({owner, type::cname, record_class::none, 0, {}});
}

// The value's records as they stand, or a new one.
std::vector<Record> records_of(const dns::RecordSet& after, const LiveSet* now) {
  std::vector<Record> records;
  for (const std::string& value : after.values) {
    Record record{after.owner.text(), type_code(after.type), record_class::in,
                  static_cast<std::uint32_t>(after.ttl.count()), write_value(after.type, value)};
    if (now != nullptr) {
      const auto kept = std::ranges::find_if(
          now->records, [&](const Record& one) { return read_value(one) == read_value(record); });
      if (kept != now->records.end()) record.rdata = kept->rdata;
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

Result<std::vector<LiveSet>> live_sets(const dns::Name& owner, const std::vector<Record>& records) {
  std::map<std::uint16_t, std::vector<Record>> by_type;
  for (const Record& record : records) {
    if (record.owner != owner.text() || record.cls != record_class::in || is_dnssec(record.type))
      continue;
    std::vector<Record>& same = by_type[record.type];
    // ANY and the query by type both bring it.
    if (std::ranges::find(same, record.rdata, &Record::rdata) == same.end()) same.push_back(record);
  }
  std::vector<LiveSet> sets;
  for (auto& [code, same] : by_type) {
    const dns::Type known = known_type(code);
    std::vector<std::string> values;
    for (const Record& record : same) {
      if (known == dns::Type::other) continue;
      std::optional<std::string> value = read_value(record);
      if (!value) return malformed(record);
      values.push_back(std::move(*value));
    }
    dns::RecordSet set =
        dns::make_record_set(owner, known, Duration(same.front().ttl), std::move(values))
            .value_or(dns::unreadable_set(owner, type_name(code)));
    sets.push_back({std::move(set), code, std::move(same)});
  }
  return sets;
}

bool only_ttl(const RecordEdit& edit) {
  return edit.before && edit.after && edit.before->values == edit.after->values;
}

Update make_changes(const std::vector<LiveSet>& live, const std::optional<Record>& soa,
                    const std::vector<RecordEdit>& edits) {
  Update update;
  std::vector<Record> additions;
  for (const RecordEdit& edit : edits) {
    const dns::RecordSet& wanted = subject(edit);
    const LiveSet* now = find_live(live, wanted);
    if (is_done(edit, now)) continue;
    const bool owner_is_empty = std::ranges::none_of(
        live, [&](const LiveSet& one) { return one.set.owner == wanted.owner; });
    require(update, edit, now, owner_is_empty);
    if (now != nullptr)
      update.updates.push_back({wanted.owner.text(), now->type, record_class::any, 0, {}});
    if (!edit.after) continue;
    for (Record& record : records_of(*edit.after, now))
      additions.push_back(std::move(record));
  }
  if (update.updates.empty() && additions.empty()) return Update{};
  if (soa) {
    update.prerequisites.push_back(*soa);
    update.prerequisites.back().ttl = 0;
  }
  // Deletions first: a CNAME must be gone before a TXT record can come.
  std::ranges::move(additions, std::back_inserter(update.updates));
  return update;
}

}  // namespace stsctl::providers::rfc2136
