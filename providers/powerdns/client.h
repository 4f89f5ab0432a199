#pragma once
// The calls of PowerDNS's HTTP API, one function a call. Knows no record set.

#include <memory>
#include <string>
#include <vector>

#include "providers/account.h"
#include "providers/powerdns/wire.h"

namespace stsctl::providers::powerdns {

/// Calls may come from any thread. Errors: Code::unauthorized (401, 403), not_found (404),
/// conflict (409, and 422 where a CNAME is in the way), invalid (400, 422), rate_limited (429),
/// internal (500), unreachable (502, 503, 504), those of io::Http, and protocol for the rest;
/// `where` names the call, none holds the key.
class Client {
 public:
  Client(Api api, std::string server, std::string key);

  std::size_t concurrency() const { return api_.concurrency; }
  const std::vector<io::Rate>& rates() const { return api_.rates; }

  Result<std::vector<ZoneInfo>> zones() const;
  /// All sets of a zone; only those at `owner` if one is given.
  Result<std::vector<ApiSet>> zone(const std::string& id, const dns::Name* owner = nullptr) const;
  /// Every record whose name fits `pattern` ("_mta-sts.*"). Code::unsupported when there may be
  /// more than the API was asked for.
  Result<Found> search(const std::string& pattern) const;
  /// Can search() be believed?
  Result<bool> searchable() const;
  /// Changes record sets, all or none. After unreachable, timeout and protocol it may have
  /// happened; after internal it has not, and may succeed when the database is free again.
  Result<Done> patch(const std::string& id, const std::string& body) const;
  /// Tells the zone's secondaries to look.
  Result<Done> notify(const std::string& id) const;

 private:
  Result<std::string> send(const char* method, const std::string& path,
                           const std::string& body = {}) const;
  template <class Value>
  Result<Value> get(const std::string& path, Result<Value> (*parse)(std::string_view)) const;

  Api api_;
  std::string base_;
  std::string key_;
};

}  // namespace stsctl::providers::powerdns
