#include "providers/webdav/location.h"

#include <algorithm>

#include "io/http_url.h"
#include "providers/policy_path.h"

namespace stsctl::providers::webdav {

namespace {

// Where the path of a URL begins.
std::size_t path_of(std::string_view url) {
  return url.find('/', url.find("://") + 3);
}

std::string fault_of(const std::string& url) {
  if (url.find(domain_placeholder) == std::string::npos) return "'url' must hold {domain}";
  const std::size_t path = path_of(url);
  if (path == std::string::npos || url.ends_with('/')) return "'url' must name a file";
  if (url.find_first_of("?#") != std::string::npos) return "'url' cannot have a query or fragment";
  if (url.substr(0, path).find('@') != std::string::npos)
    return "'url' cannot hold a user: 'user' and 'password' are settings";
  return {};
}

// The slash before the segment where {domain} stands first; the path's first when that is the host.
std::size_t last_foreign_slash(const std::string& url) {
  const std::size_t path = path_of(url);
  const std::size_t domain = url.find(domain_placeholder);
  return domain < path ? path : url.rfind('/', domain);
}

}  // namespace

Result<Location> Location::read(const Settings& settings) {
  Location location;
  location.template_ = settings.text("url");
  const std::string where = settings.where("url");
  if (std::string fault = fault_of(location.template_); !fault.empty())
    return fail(Code::invalid, std::move(fault), where);
  const Result<io::Url> url = io::Url::parse(location.resource(*dns::Name::parse("example.com")));
  if (!url) return fail(url.error().code, url.error().what, where, url.error().hint);
  return location;
}

std::string Location::resource(const dns::Name& domain) const {
  return fill_in(template_, domain);
}

std::string Location::beside(const dns::Name& domain, const std::string& run) const {
  std::string url = resource(domain);
  return url.insert(url.rfind('/') + 1, "stsctl-" + run + "-");
}

std::vector<std::string> Location::collections(const dns::Name& domain) const {
  std::vector<std::string> all;
  for (std::size_t at = template_.find('/', last_foreign_slash(template_) + 1);
       at != std::string::npos; at = template_.find('/', at + 1))
    all.push_back(fill_in(template_.substr(0, at + 1), domain));
  return all;
}

std::size_t Location::own_collections() const {
  return static_cast<std::size_t>(
      std::ranges::count(template_.substr(last_foreign_slash(template_) + 1), '/'));
}

bool Location::has_own_hosts() const {
  return template_.find(domain_placeholder) < path_of(template_);
}

std::string Location::base(const dns::Name& domain) const {
  return fill_in(template_.substr(0, last_foreign_slash(template_) + 1), domain);
}

std::string Location::origin(const dns::Name& domain) const {
  return fill_in(template_.substr(0, path_of(template_)), domain);
}

}  // namespace stsctl::providers::webdav
