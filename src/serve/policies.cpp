#include "serve/policies.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.h"

namespace stsctl::serve {

namespace {

constexpr std::string_view host_label = "mta-sts.";
constexpr std::size_t etag_length = 16;

}  // namespace

void Policies::set(const dns::Name& domain, std::string body) {
  std::string etag = fmt::format("\"{}\"", hex(sha256(body)).substr(0, etag_length));
  bodies_.insert_or_assign(domain.text(), ServedPolicy{std::move(body), std::move(etag)});
}

void Policies::set_unknown(const dns::Name& domain) {
  bodies_.insert_or_assign(domain.text(), ServedPolicy{});
}

const ServedPolicy* Policies::find(std::string_view host) const {
  if (!host.starts_with(host_label)) return nullptr;
  const auto found = bodies_.find(host.substr(host_label.size()));
  return found == bodies_.end() ? nullptr : &found->second;
}

std::vector<std::string> Policies::hosts() const {
  std::vector<std::string> hosts;
  hosts.reserve(bodies_.size());
  for (const auto& [domain, policy] : bodies_)
    hosts.push_back(std::string(host_label) + domain);
  std::ranges::sort(hosts);
  return hosts;
}

}  // namespace stsctl::serve
