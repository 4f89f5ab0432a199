#include "dns_contract.h"

#include <algorithm>
#include <ostream>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

namespace stsctl::contract {

namespace {

// Worlds live as long as the program: some servers are slow to start.
DnsWorld& world_of(const WorldKind& kind) {
  static std::map<std::string, std::unique_ptr<DnsWorld>> running;
  std::unique_ptr<DnsWorld>& world = running[kind.name];
  if (!world) world = kind.make();
  return *world;
}

}  // namespace

std::vector<WorldCase> all_worlds() {
  std::vector<WorldCase> cases;
  for (const WorldKind& kind : worlds())
    cases.push_back({&kind});
  return cases;
}

std::vector<WorldCase> worlds_with(Need need, std::optional<Need> also) {
  std::vector<WorldCase> cases = all_worlds();
  std::erase_if(cases, [&](const WorldCase& one) {
    return one.kind->lacks.contains(need) || (also && one.kind->lacks.contains(*also));
  });
  return cases;
}

std::vector<WorldCase> worlds_in(const std::vector<Trouble>& troubles) {
  std::vector<WorldCase> cases;
  for (const WorldKind& kind : worlds())
    for (const Trouble trouble : troubles)
      if (!kind.spared.contains(trouble)) cases.push_back({&kind, trouble});
  return cases;
}

std::string world_name(const testing::TestParamInfo<WorldCase>& entry) {
  return entry.param.kind->name;
}

std::string trouble_name(const testing::TestParamInfo<WorldCase>& entry) {
  return fmt::format("{}_{}", entry.param.kind->name, to_string(entry.param.trouble));
}

void PrintTo(const WorldCase& one, std::ostream* out) {
  *out << one.kind->name;
}

std::string txt_line(const std::string& owner, const std::string& value, int ttl) {
  return fmt::format("{}. {} IN TXT {}", owner, ttl, dns::encode_txt(value));
}

std::vector<ZoneSeed> usual_zones() {
  return {{"example.com",
           {
               R"(_mta-sts.example.com. 300 IN TXT "v=STSv1; id=1;")",
               R"(_mta-sts.example.com. 600 IN CAA 0 issue "ca.example.net")",
               R"(_smtp._tls.example.com. 300 IN TXT "v=TLSRPTv1; rua=mailto:a@b.example")",
               R"(mta-sts.example.com. 300 IN CNAME policy.example.net.)",
               R"(mta-sts.other.example.com. 300 IN CAA 0 issue "ca.example.net")",
               // Neighbours: at the zone, below, beside, with names that only look alike.
               R"(example.com. 300 IN TXT "v=spf1 -all")",
               R"(example.com. 300 IN MX 10 mail.example.com.)",
               R"(mail.example.com. 300 IN A 192.0.2.25)",
               R"(mail.example.com. 300 IN AAAA 2001:db8::25)",
               R"(x._mta-sts.example.com. 300 IN TXT "below")",
               R"(xmta-sts.example.com. 300 IN TXT "alike")",
               R"(_mta-sts.x.example.com. 300 IN TXT "another domain")",
               // What values can look like.
               R"(_mta-sts.two.example.com. 300 IN TXT "v=spf1 -all")",
               R"(_mta-sts.two.example.com. 300 IN TXT "v=STSv1; id=2;")",
               R"(mta-sts.two.example.com. 900 IN A 192.0.2.1)",
               R"(mta-sts.two.example.com. 900 IN A 192.0.2.2)",
               R"(mta-sts.two.example.com. 900 IN AAAA 2001:db8::1)",
               R"(_mta-sts.cut.example.com. 300 IN TXT "v=STSv1; " "id=3;")",
               R"(_smtp._tls.odd.example.com. 300 IN TXT "say \"hi\"; back\\slash; \195\164")",
               R"(_MTA-STS.Case.Example.COM. 300 IN TXT "Kept As It Is")",
               R"(mta-sts.case.example.com. 300 IN CNAME Policy.Example.NET.)",
               fmt::format(R"(_smtp._tls.long.example.com. 300 IN TXT "{}" "{}" "{}")",
                           std::string(255, 'a'), std::string(255, 'b'), std::string(90, 'c')),
           }},
          {"sub.example.com", {R"(mta-sts.sub.example.com. 600 IN A 192.0.2.7)"}},
          {"example.org", {}}};
}

DnsContract::DnsContract() : world_(world_of(kind())) {}

// Providers end before the services they were given.
DnsContract::~DnsContract() {
  opened_.clear();
}

void DnsContract::TearDown() {
  world_.heal();
  search_for_secrets();
}

DnsProvider& DnsContract::open(const Access& access) {
  io::Services real = machine_.services();
  auto opened =
      world_.open(access, {.files = real.files,
                           .process = real.process,
                           .clock = hasty_ ? static_cast<io::Clock&>(hasty_clock_) : real.clock,
                           .dns = real.dns,
                           .http = real.http,
                           .log = real.log,
                           .stop = stop_});
  if (!opened) throw std::runtime_error(to_string(opened.error()));
  return *opened_.emplace_back(std::move(*opened));
}

void DnsContract::start(const std::vector<ZoneSeed>& zones) {
  world_.start(zones);
  zones_.clear();
  for (const ZoneSeed& zone : zones)
    zones_.push_back(name(zone.name));
}

DnsProvider& DnsContract::use(const Access& access) {
  usual_ = &open(access);
  for (const auto& zone : usual_->find_zones(zones_, {}))
    if (!said(zone)) throw std::runtime_error(to_string(zone.error()));
  return *usual_;
}

DnsProvider& DnsContract::provider() {
  return usual_ == nullptr ? use({}) : *usual_;
}

Result<std::vector<dns::RecordSet>> DnsContract::read(const std::string& zone,
                                                      const std::string& owner) {
  return said(provider().read({{name(zone), {name(owner)}}}, {}).front());
}

std::vector<dns::RecordSet> DnsContract::must_read(const std::string& zone,
                                                   const std::string& owner) {
  auto sets = read(zone, owner);
  if (!sets) throw std::runtime_error(to_string(sets.error()));
  std::ranges::sort(*sets, {}, &dns::RecordSet::type);
  return *sets;
}

Result<Done> DnsContract::write(const std::string& zone, const std::vector<RecordEdit>& edits) {
  return said(provider().write(name(zone), edits));
}

Result<Done> DnsContract::write_held(const std::string& zone, const std::vector<RecordEdit>& edits,
                                     const std::function<void()>& meanwhile,
                                     const std::optional<Fault>& then) {
  provider();
  world_.hold_next_write(then);
  Result<Done> done;
  {
    const std::jthread writer([&] { done = write(zone, edits); });
    world_.await_held();
    meanwhile();
    world_.release();
  }
  return done;
}

void DnsContract::must_write(const std::string& zone, const std::vector<RecordEdit>& edits) {
  const auto done = write(zone, edits);
  EXPECT_TRUE(done) << to_string(done.error());
}

std::vector<std::string> DnsContract::sees(const std::string& owner, const std::string& type,
                                           const std::string& zone) const {
  std::vector<std::string> data;
  for (const Seen& one : world_.look(zone))
    if (one.owner == owner && one.type == type) data.push_back(one.data);
  return data;
}

void DnsContract::note(std::string text) {
  const std::scoped_lock lock(guard_);
  noted_.push_back(std::move(text));
}

void DnsContract::search_for_secrets() const {
  for (const std::string& secret : world_.secrets()) {
    for (const std::string& text : noted_)
      EXPECT_EQ(text.find(secret), std::string::npos) << "a secret in an Error: " << text;
    EXPECT_EQ(machine_.log().find(secret), std::string::npos) << "a secret in the log:\n"
                                                              << machine_.log();
  }
}

}  // namespace stsctl::contract
