#pragma once
// Between the JSON of Cloudflare's API (version 4) and record sets: what is read. Pure; knows no
// connection.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/record_set.h"

namespace stsctl::providers::cloudflare {

/// A zone as GET /zones lists it.
struct Zone {
  dns::Name name;
  std::string id;
  std::string status;  ///< "active", "pending", "initializing", "moved".
  std::string type;    ///< "full", "partial", "secondary", "internal".
  std::string plan;    ///< "free", "pro", …; may be empty.
  std::string account_id;
  std::string account_name;

  bool is_active() const { return status == "active"; }
  /// How many operations one batch may hold.
  std::size_t batch_limit() const;
  /// The account for people: "Example Inc (0123…)".
  std::string account() const;
};

/// One record as the API keeps it.
struct Record {
  std::string id;
  dns::Name owner;
  std::string type;     ///< "TXT", "HTTPS", …
  std::string content;  ///< As it was sent by whoever wrote it; of an MX "10 mail.example.com".
  Duration ttl{0};      ///< 0: automatic.
  bool proxied = false;
  bool commented = false;  ///< It has a comment.
  bool read_only = false;  ///< Another product of Cloudflare keeps it; nobody else may change it.
  bool operator==(const Record&) const = default;
};

/// A host name that a Worker answers at, with its own address record and certificate.
struct CustomDomain {
  std::string id;
  std::string hostname;
  std::string service;  ///< The Worker's name.
  bool operator==(const CustomDomain&) const = default;
};

/// What an answer says about the list it is a page of.
struct PageInfo {
  std::size_t count = 0;     ///< Items in this answer.
  std::size_t per_page = 0;  ///< The size of its pages; 0: not said.
  std::size_t pages = 0;     ///< How many there are, as a hint; 0: not said.
  std::string first;         ///< Id of the first item.

  /// May another page follow, where pages of `asked` items were asked for? The totals an answer
  /// states may be those without a filter, so only a page that is not full ends a list.
  bool may_continue(std::size_t asked) const;
};

template <class Item>
struct Page {
  std::vector<Item> items;
  PageInfo info;
};

/// GET /zones. Zones whose names no mail domain can have are left out. Code::protocol when the text
/// is not what the API sends; so do all that follow.
Result<Page<Zone>> parse_zones(std::string_view text);

/// GET /zones/{id}/dns_records. Records at names that no mail domain can have ("*.example.com") are
/// left out.
Result<Page<Record>> parse_records(std::string_view text);

/// GET /accounts/{id}/workers/domains.
Result<Page<CustomDomain>> parse_custom_domains(std::string_view text);

/// An answer of which only matters that it reports success; what went wrong where it does not.
Result<Done> parse_done(std::string_view text);

/// GET …/tokens/verify: "active", or "expired" and "disabled" with the day if it is said.
Result<std::string> parse_token_status(std::string_view text);

/// The canonical record sets. Records of one set that differ in TTL count with the smallest (RFC
/// 2181 §5.2). Type::locked where content cannot be read: that stops its own domain only.
std::vector<dns::RecordSet> record_sets(const std::vector<Record>& records);

/// The value of a record in canonical form; none for types that stsctl does not manage.
Result<std::optional<std::string>> value_of(const Record& record);

/// The query parameters, "name.contains=mt&name.endswith=s.example.com", that ask for the records
/// at `owners` in as few as one page; "": no filter would leave anything out. Each condition holds
/// for every one of the owners and all of them are joined by "and", so that a service which knows
/// only some of them answers with more than was asked for, never with less.
std::string name_filter(const dns::Name& zone, const std::vector<dns::Name>& owners);

/// Does an answer that reports a failure say that there is no Worker of that name? Other things can
/// be missing too: the account, the call.
bool is_no_such_worker(std::string_view body);

/// What an answer that reports a failure means. Code::unauthorized, not_found, rate_limited,
/// conflict (another record is in the way, or the one to change is gone), invalid (the service
/// takes no such record or script), unreachable (the service fails), protocol for the rest. The
/// text holds every error and its chain.
Error error_of(int status, std::string_view body);

}  // namespace stsctl::providers::cloudflare
