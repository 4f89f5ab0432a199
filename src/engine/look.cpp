#include "engine/look.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/authority.h"
#include "engine/mx.h"
#include "engine/shared_prober.h"
#include "plan/desired.h"
#include "sts/record.h"

namespace stsctl::engine {

namespace {

constexpr std::size_t domains_at_once = 256;
constexpr std::size_t most_addresses = 16;
constexpr std::size_t most_hosts = 20;

std::unexpected<Error> not_asked() {
  return fail(Code::cancelled, "not asked");
}

std::vector<std::string> addresses(const Result<io::DnsAnswer>& a,
                                   const Result<io::DnsAnswer>& aaaa) {
  std::vector<std::string> all;
  for (const auto* answer : {&a, &aaaa})
    if (*answer) all.insert(all.end(), (*answer)->values.begin(), (*answer)->values.end());
  if (all.size() > most_addresses) all.resize(most_addresses);
  return all;
}

// "https://host:8443/path" in its parts; none for what is no https URI.
struct HttpsUri {
  std::string host;
  std::uint16_t port = 443;
};
std::optional<HttpsUri> read_uri(std::string_view uri) {
  constexpr std::string_view scheme = "https://";
  if (!lower(uri.substr(0, scheme.size())).starts_with(scheme)) return std::nullopt;
  std::string_view authority = uri.substr(scheme.size());
  authority = authority.substr(0, authority.find_first_of("/?#"));
  HttpsUri read;
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    std::from_chars(port.data(), port.data() + port.size(), read.port);
    authority = authority.substr(0, colon);
  }
  read.host = lower(authority);
  return read;
}

// Looks at one domain; each member fills its part of the facts.
class Look {
 public:
  Look(const dns::Name& domain, const Eyes& eyes, const LookOptions& options)
      : eyes_(eyes),
        options_(options),
        names_(plan::owners(domain)),
        facts_{.domain = domain,
               .when = eyes.clock.now(),
               .sts = ask(names_.sts, io::Question::txt),
               .tlsrpt = ask(names_.tlsrpt, io::Question::txt),
               .servers = {},
               .a = ask(names_.address, io::Question::a),
               .aaaa = ask(names_.address, io::Question::aaaa),
               .policies = {},
               .mx = ask(domain, io::Question::mx),
               .live_mx = not_asked(),
               .hosts = {},
               .rua = {},
               .txt = ask(domain, io::Question::txt),
               .dmarc = ask(domain.under("_dmarc"), io::Question::txt)} {}

  Facts run() && {
    look_at_servers();
    look_at_policies();
    look_at_hosts();
    look_at_rua();
    return std::move(facts_);
  }

 private:
  Result<io::DnsAnswer> ask(const dns::Name& name, io::Question question) const {
    return eyes_.resolver.resolve(name, question);
  }

  void look_at_servers() {
    for (const Authority& one : authorities(facts_.domain, eyes_.resolver, options_.dns_port))
      facts_.servers.push_back(
          {one.name, one.server, eyes_.resolver.ask(one.server, names_.sts, io::Question::txt)});
  }

  void look_at_policies() {
    for (const std::string& address : addresses(facts_.a, facts_.aaaa))
      facts_.policies.push_back({address, eyes_.prober.fetch_policy({names_.address.text(), address,
                                                                     options_.https_port})});
  }

  void look_at_hosts() {
    facts_.live_mx = facts_.mx ? live_mx(facts_.domain, *facts_.mx) : fail(facts_.mx);
    if (!facts_.live_mx) return;
    for (const dns::Name& host : facts_.live_mx->hosts) {
      if (facts_.hosts.size() == most_hosts) return;
      HostFacts seen{.host = host,
                     .a = ask(host, io::Question::a),
                     .aaaa = ask(host, io::Question::aaaa),
                     .tlsa = ask(host.under("_25._tcp"), io::Question::tlsa),
                     .addresses = {}};
      if (options_.smtp)
        for (const std::string& address : addresses(seen.a, seen.aaaa))
          seen.addresses.push_back(
              {address, eyes_.prober.look_at_mx({host.text(), address, options_.smtp_port})});
      facts_.hosts.push_back(std::move(seen));
    }
  }

  void look_at_rua() {
    if (!facts_.tlsrpt) return;
    const auto record = sts::parse_tlsrpt_records(facts_.tlsrpt->values).value;
    if (!record) return;
    for (const std::string& uri : record->rua)
      if (const auto https = read_uri(uri)) facts_.rua.push_back({uri, reach(*https)});
  }

  // Does a server with a good certificate answer there? What it answers to a GET is its business.
  Result<Done> reach(const HttpsUri& uri) const {
    const auto name = dns::Name::parse(uri.host);
    if (!name) return fail(name);
    const auto a = ask(*name, io::Question::a);
    const auto aaaa = ask(*name, io::Question::aaaa);
    if (!a && !aaaa) return fail(a);
    Result<Done> reached = fail(Code::not_found, uri.host + " has no address");
    for (const std::string& address : addresses(a, aaaa)) {
      const io::HttpsProbe probe = eyes_.prober.fetch_policy({uri.host, address, uri.port});
      if (probe.reply || probe.reply.error().code == Code::protocol) return Done{};
      reached = fail(probe.reply);
    }
    return reached;
  }

  const Eyes& eyes_;
  const LookOptions& options_;
  plan::Owners names_;
  Facts facts_;
};

}  // namespace

Facts look_at(const dns::Name& domain, const Eyes& eyes, const LookOptions& options) {
  return Look(domain, eyes, options).run();
}

std::vector<std::optional<Facts>> look_at_all(const std::vector<dns::Name>& domains,
                                              const Eyes& eyes, const LookOptions& options,
                                              const providers::Watch& watch) {
  SharedProber prober(eyes.prober);
  const Eyes shared{eyes.resolver, prober, eyes.clock};
  return parallel_map(domains, domains_at_once, watch.stop, [&](const dns::Name& domain) {
    Facts facts = look_at(domain, shared, options);
    watch.advanced(1);
    return facts;
  });
}

}  // namespace stsctl::engine
