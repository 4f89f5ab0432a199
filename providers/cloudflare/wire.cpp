#include "providers/cloudflare/wire.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/sorted.h"
#include "base/text.h"

namespace stsctl::providers::cloudflare {

namespace {

using nlohmann::json;

constexpr std::size_t free_batch = 200;
constexpr std::size_t paid_batch = 3500;
constexpr std::int64_t automatic = 1;

std::unexpected<Error> unexpected_json(std::string_view what) {
  return fail(Code::protocol, fmt::format("the API's answer is not the {} expected", what), {},
              "does 'endpoint' name Cloudflare's API, version 4?");
}

// The member `key` if `object` is an object that has it, else null.
const json& at(const json& object, const char* key) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string text_at(const json& object, const char* key) {
  const json& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool flag_at(const json& object, const char* key) {
  const json& value = at(object, key);
  return value.is_boolean() && value.get<bool>();
}

std::optional<std::int64_t> number_at(const json& object, const char* key) {
  const json& value = at(object, key);
  return value.is_number_integer() ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

std::size_t size_at(const json& object, const char* key) {
  return static_cast<std::size_t>(std::max<std::int64_t>(0, number_at(object, key).value_or(0)));
}

bool failed(const json& answer) {
  return at(answer, "success") == false;
}

// An id goes into paths: nothing but what ids are made of.
bool is_id(const std::string& id) {
  constexpr std::size_t longest = 64;
  return !id.empty() && id.size() <= longest && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

Result<PageInfo> page_info(const json& answer, const json& list) {
  const json& said = at(answer, "result_info");
  PageInfo info{list.size(), size_at(said, "per_page"), size_at(said, "total_pages"),
                list.empty() ? std::string() : text_at(list.front(), "id")};
  if (const auto count = number_at(said, "count"); count && *count != std::int64_t(list.size()))
    return fail(Code::protocol,
                fmt::format("the API announces {} items and sends {}", *count, list.size()));
  return info;
}

Result<std::optional<Zone>> parse_zone(const json& object) {
  Result<dns::Name> name = dns::Name::parse(text_at(object, "name"));
  const std::string id = text_at(object, "id");
  if (!is_id(id) || text_at(object, "name").empty()) return unexpected_json("zone");
  if (!name) return std::nullopt;
  const json& account = at(object, "account");
  return Zone{.name = std::move(*name),
              .id = id,
              .status = text_at(object, "status"),
              .type = text_at(object, "type"),
              .plan = text_at(at(object, "plan"), "legacy_id"),
              .account_id = text_at(account, "id"),
              .account_name = text_at(account, "name")};
}

Result<std::optional<Record>> parse_record(const json& object) {
  const std::string id = text_at(object, "id");
  const std::string type = text_at(object, "type");
  const std::string name = text_at(object, "name");
  const auto ttl = number_at(object, "ttl");
  const bool managed = dns::parse_type(type) != dns::Type::other;
  if (!is_id(id) || type.empty() || name.empty() || !ttl || *ttl < 0 ||
      (managed && !at(object, "content").is_string()))
    return unexpected_json("record");
  Result<dns::Name> owner = dns::Name::parse(name);
  if (!owner) return std::nullopt;
  std::string content = text_at(object, "content");
  if (type == "MX")
    content = fmt::format("{} {}", number_at(object, "priority").value_or(0), content);
  return Record{.id = id,
                .owner = std::move(*owner),
                .type = type,
                .content = std::move(content),
                .ttl = Duration(*ttl == automatic ? 0 : *ttl),
                .proxied = flag_at(object, "proxied"),
                .commented = !text_at(object, "comment").empty(),
                .read_only = flag_at(at(object, "meta"), "read_only") || flag_at(object, "locked")};
}

Result<std::optional<CustomDomain>> parse_custom_domain(const json& object) {
  CustomDomain domain{text_at(object, "id"), text_at(object, "hostname"),
                      text_at(object, "service")};
  if (!is_id(domain.id) || domain.hostname.empty()) return unexpected_json("Custom Domain");
  return domain;
}

template <class Item, class Parse>
Result<Page<Item>> parse_page(std::string_view text, std::string_view what, Parse parse_item) {
  const json answer = json::parse(text, nullptr, false);
  if (failed(answer)) return std::unexpected(error_of(200, text));
  const json& list = at(answer, "result");
  if (!flag_at(answer, "success") || !list.is_array()) return unexpected_json(what);
  Result<PageInfo> info = page_info(answer, list);
  if (!info) return fail(info);
  Page<Item> page{{}, std::move(*info)};
  for (const json& object : list) {
    Result<std::optional<Item>> item = parse_item(object);
    if (!item) return fail(item);
    if (*item) page.items.push_back(std::move(**item));
  }
  return page;
}

std::string common_prefix(const std::vector<dns::Name>& owners) {
  std::string prefix = owners.front().text();
  for (const dns::Name& owner : owners) {
    const auto [end, other] = std::ranges::mismatch(prefix, owner.text());
    prefix.erase(end, prefix.end());
  }
  return prefix;
}

std::string common_suffix(const std::vector<dns::Name>& owners) {
  std::string suffix = owners.front().text();
  for (const dns::Name& owner : owners) {
    const std::string& text = owner.text();
    std::size_t same = 0;
    while (same < std::min(suffix.size(), text.size()) &&
           suffix[suffix.size() - 1 - same] == text[text.size() - 1 - same])
      ++same;
    suffix.erase(0, suffix.size() - same);
  }
  return suffix;
}

// "text (code)", then those of the chain: some answers say what matters only there.
void describe(const json& list, std::vector<std::string>& texts, std::vector<std::int64_t>& codes) {
  constexpr std::size_t most = 8;
  if (!list.is_array()) return;
  for (const json& error : list) {
    if (texts.size() >= most) return;
    const std::int64_t code = number_at(error, "code").value_or(0);
    codes.push_back(code);
    texts.push_back(fmt::format("{} ({})", text_at(error, "message"), code));
    const json& chain = at(error, "error_chain");
    if (chain.is_array())
      for (const json& link : chain) {
        codes.push_back(number_at(link, "code").value_or(0));
        texts.push_back(fmt::format("{} ({})", text_at(link, "message"), codes.back()));
      }
  }
}

bool has_any(const std::vector<std::int64_t>& codes, std::initializer_list<std::int64_t> wanted) {
  return std::ranges::any_of(
      codes, [&](std::int64_t code) { return std::ranges::find(wanted, code) != wanted.end(); });
}

Code code_of(int status, const std::vector<std::int64_t>& codes) {
  // 6003: a header that no token or key can have; 9103: e-mail or key; 9106, 9107: none; 9109: not
  // for this resource, or not a token; 10000: not for this call.
  if (status == 401 || status == 403 ||
      has_any(codes, {6003, 6103, 6111, 9103, 9106, 9107, 9109, 10000, 10001}))
    return Code::unauthorized;
  if (status == 429) return Code::rate_limited;
  // 81044: the record is gone; 81053, 81054, 81056: a CNAME, A or NS in the way; 81057, 81058: it
  // is there already; 81062: a Worker's record in the way; 100117: a record in a Worker's way.
  if (has_any(codes, {81044, 81053, 81054, 81056, 81057, 81058, 81062, 100117}) || status == 409)
    return Code::conflict;
  if (status == 404) return Code::not_found;
  if (status == 400 || status == 413) return Code::invalid;
  return status >= 500 ? Code::unreachable : Code::protocol;
}

}  // namespace

std::size_t Zone::batch_limit() const {
  return plan.empty() || plan == "free" ? free_batch : paid_batch;
}

std::string Zone::account() const {
  return account_name.empty() ? account_id
                              : fmt::format("{} ({})", printable(account_name), account_id);
}

bool PageInfo::may_continue(std::size_t asked) const {
  const std::size_t size = per_page > 0 ? std::min(per_page, asked) : asked;
  return count > 0 && count >= size;
}

Result<Page<Zone>> parse_zones(std::string_view text) {
  return parse_page<Zone>(text, "list of zones", parse_zone);
}

Result<Page<Record>> parse_records(std::string_view text) {
  return parse_page<Record>(text, "list of records", parse_record);
}

Result<Page<CustomDomain>> parse_custom_domains(std::string_view text) {
  return parse_page<CustomDomain>(text, "list of Custom Domains", parse_custom_domain);
}

Result<Done> parse_done(std::string_view text) {
  const json answer = json::parse(text, nullptr, false);
  if (failed(answer)) return std::unexpected(error_of(200, text));
  if (!flag_at(answer, "success")) return unexpected_json("report of a success");
  return Done{};
}

Result<std::string> parse_token_status(std::string_view text) {
  const json answer = json::parse(text, nullptr, false);
  std::string status = printable(text_at(at(answer, "result"), "status"));
  if (status.empty()) return unexpected_json("state of the token");
  const std::string until = printable(text_at(at(answer, "result"), "expires_on"));
  if (status == "active" || until.empty()) return status;
  return fmt::format("{} ({})", status, until);
}

Result<std::optional<std::string>> value_of(const Record& record) {
  const dns::Type type = dns::parse_type(record.type);
  if (type == dns::Type::other) return std::nullopt;
  const auto where = [&] { return record.owner.text() + " " + record.type; };
  std::string text = record.content;
  if (type == dns::Type::txt) {
    Result<std::string> decoded = dns::decode_txt(record.content, true);
    if (!decoded)
      return fail(Code::protocol, decoded.error().what, where(), "correct the record by hand");
    text = std::move(*decoded);
  }
  const auto set = dns::make_record_set(record.owner, type, record.ttl, {std::move(text)});
  if (!set) return fail(Code::protocol, set.error().what, where(), "correct the record by hand");
  return set->values.front();
}

std::vector<dns::RecordSet> record_sets(const std::vector<Record>& records) {
  std::vector<dns::RecordSet> sets;
  std::set<std::pair<dns::Name, dns::Type>> unreadable;
  for (const Record& record : records) {
    Result<std::optional<std::string>> value = value_of(record);
    const dns::Type type = dns::parse_type(record.type);
    auto found = std::ranges::find_if(sets, [&](const dns::RecordSet& set) {
      return set.owner == record.owner && set.type == type;
    });
    if (found == sets.end())
      found = sets.insert(sets.end(), dns::RecordSet{record.owner, type, record.ttl, {}});
    found->ttl = std::min(found->ttl, record.ttl);
    if (!value)
      unreadable.emplace(record.owner, type);
    else if (*value)
      found->values.push_back(std::move(**value));
  }
  for (dns::RecordSet& set : sets) {
    sort_unique(set.values);
    if (unreadable.contains({set.owner, set.type}))
      set = dns::unreadable_set(set.owner, dns::to_string(set.type));
  }
  return sets;
}

std::string name_filter(const dns::Name& zone, const std::vector<dns::Name>& owners) {
  // In all of _mta-sts, _smtp._tls and mta-sts, and in few other names.
  constexpr std::string_view needle = "mt";
  constexpr std::string_view a_label = "xn--";
  if (owners.empty()) return {};
  std::string prefix = common_prefix(owners);
  std::string suffix = common_suffix(owners);
  const bool all = std::ranges::all_of(owners, [&](const dns::Name& owner) {
    const std::string& text = owner.text();
    return text.substr(0, text.find(a_label)).find(needle) != std::string::npos;
  });
  const bool exact = prefix == suffix && prefix.find(a_label) == std::string::npos;
  if (exact) return "name.exact=" + prefix;
  // The service may keep an A-label as the U-label it stands for: no condition looks at one.
  prefix.erase(std::min(prefix.find(a_label), prefix.size()));
  if (suffix.find(a_label) != std::string::npos) suffix.clear();
  std::vector<std::string> conditions;
  if (!prefix.empty()) conditions.push_back("name.startswith=" + prefix);
  if (all && prefix.find(needle) == std::string::npos)
    conditions.push_back(fmt::format("name.contains={}", needle));
  if (suffix.size() > zone.text().size() + 1) conditions.push_back("name.endswith=" + suffix);
  return join(conditions, "&");
}

bool is_no_such_worker(std::string_view body) {
  const json answer = json::parse(body, nullptr, false);
  std::vector<std::string> texts;
  std::vector<std::int64_t> codes;
  describe(at(answer, "errors"), texts, codes);
  return has_any(codes, {10007, 10090});  // the latter where Workers have environments
}

Error error_of(int status, std::string_view body) {
  constexpr std::size_t longest = 500;
  const json answer = json::parse(body, nullptr, false);
  std::vector<std::string> texts;
  std::vector<std::int64_t> codes;
  describe(at(answer, "errors"), texts, codes);
  std::string text = texts.empty() ? std::string(trim(body)) : join(texts, "; ");
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  const Code code = code_of(status, codes);
  return {code, fmt::format("Cloudflare answers {}: {}", status, printable(text))};
}

}  // namespace stsctl::providers::cloudflare
