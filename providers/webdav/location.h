#pragma once
// Where a server of HTTP keeps the policy of a domain: a URL with {domain}. Pure: knows no
// connection.

#include <string>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "dns/name.h"

namespace stsctl::providers::webdav {

/// "https://dav.example.net/sites/{domain}/.well-known/mta-sts.txt".
class Location {
 public:
  /// From the `url` setting. Code::invalid, with the place in the configuration, when it is the
  /// same for every domain, holds a password, a query or a fragment, or names no file.
  static Result<Location> read(const Settings& settings);

  /// The policy of one domain.
  std::string resource(const dns::Name& domain) const;
  /// A resource beside it, of the same kind and of this run alone.
  std::string beside(const dns::Name& domain, const std::string& run) const;
  /// The collections that are the domain's own, outermost first, each with a final slash: they
  /// begin where {domain} stands first. Those before it are not ours to make.
  std::vector<std::string> collections(const dns::Name& domain) const;
  /// The same number for every domain.
  std::size_t own_collections() const;
  /// Has every domain a server name of its own?
  bool has_own_hosts() const;
  /// The innermost collection that must be there, with a final slash.
  std::string base(const dns::Name& domain) const;
  /// "https://dav.example.net": what serves it.
  std::string origin(const dns::Name& domain) const;

 private:
  std::string template_;
};

}  // namespace stsctl::providers::webdav
