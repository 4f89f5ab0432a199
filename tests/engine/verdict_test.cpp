// A good domain is judged good; spoiled in one thing, it is judged for that thing alone.

#include "engine/verdict.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/rollouts.h"
#include "sts/policy_id.h"

namespace stsctl::engine {
namespace {

using io::DnsAnswer;
using testing::ElementsAre;
using testing::IsEmpty;

const Time now = *parse_time("2026-11-25T12:00:00Z");

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

DnsAnswer answer(std::vector<std::string> values) {
  return {.values = std::move(values), .ttl = Duration(300), .authoritative = true};
}

DnsAnswer nothing() {
  return {.kind = DnsAnswer::Kind::no_data};
}

io::TlsFacts good_tls(const std::string& host) {
  return {.shown = true,
          .version = "TLSv1.3",
          .trusted = true,
          .named = true,
          .names = {host},
          .not_before = now - Duration(86400),
          .not_after = now + Duration(60 * 86400)};
}

std::string body(const std::string& mode, const std::string& mx = "mail.example.com") {
  return "version: STSv1\r\nmode: " + mode + "\r\nmx: " + mx + "\r\nmax_age: 2592000\r\n";
}

PolicyFacts served(const std::string& text, const std::string& address = "192.0.2.1") {
  return {address,
          {.tls = good_tls("mta-sts.example.com"),
           .reply = io::Reply{.status = 200,
                              .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                              .body = text}}};
}

HostFacts mail_host(const std::string& host) {
  return {.host = name(host),
          .a = answer({"192.0.2.25"}),
          .aaaa = nothing(),
          .tlsa = nothing(),
          .addresses = {{"192.0.2.25",
                         {.reached = true,
                          .greeted = true,
                          .starttls = true,
                          .tls = good_tls(host),
                          .verdict = Done{}}}}};
}

void set_mx(Facts& facts, std::vector<std::string> records) {
  facts.mx = answer(std::move(records));
  facts.live_mx = plan::LiveMx{};
  facts.hosts.clear();
  for (const std::string& record : facts.mx->values)
    if (const auto host = dns::Name::parse(record.substr(record.find(' ') + 1))) {
      facts.live_mx->hosts.push_back(*host);
      facts.hosts.push_back(mail_host(host->text()));
    }
}

Facts good(const std::string& mode = "enforce") {
  Facts facts{.domain = name("example.com"),
              .when = now,
              .sts = answer({"v=STSv1; id=1"}),
              .tlsrpt = answer({"v=TLSRPTv1; rua=mailto:tls@example.net"}),
              .servers = {{"ns1.example.net", {"192.0.2.53", 53}, answer({"v=STSv1; id=1"})}},
              .a = answer({"192.0.2.1"}),
              .aaaa = nothing(),
              .policies = {served(body(mode))},
              .mx = answer({}),
              .live_mx = plan::LiveMx{},
              .hosts = {},
              .rua = {},
              .txt = answer({"v=spf1 -all", "else"}),
              .dmarc = answer({"v=DMARC1; p=reject"})};
  set_mx(facts, {"10 mail.example.com"});
  return facts;
}

// "fail mx-not-allowed", without what is only good to know.
std::vector<std::string> marks(const Verdict& verdict) {
  std::vector<std::string> marks;
  for (const VerifyFinding& finding : verdict.findings)
    if (finding.grade != Grade::pass)
      marks.push_back(std::string(to_string(finding.grade)) + " " + finding.id);
  return marks;
}

TEST(Judge, AGoodDomainPasses) {
  for (const char* mode : {"enforce", "testing", "none"}) {
    const Verdict verdict = judge(good(mode));
    EXPECT_THAT(marks(verdict), IsEmpty()) << mode;
    EXPECT_EQ(verdict.grade, Grade::pass);
    EXPECT_EQ(verdict.id, "1");
    ASSERT_TRUE(verdict.policy);
    EXPECT_STREQ(sts::to_string(verdict.policy->mode), mode);
  }
}

// A signed domain, whose mail host shows the certificate "leaf".
void sign(Facts& facts, const std::string& tlsa) {
  facts.mx->authenticated = true;
  facts.hosts[0].tlsa = answer({tlsa});
  facts.hosts[0].tlsa->authenticated = true;
  facts.hosts[0].addresses[0].probe.tls.chain = {{"leaf", "key"}};
}

TEST(Judge, TellsWhatStandsBesideIt) {
  EXPECT_THAT(judge(good()).context,
              ElementsAre("SPF: v=spf1 -all", "DNSSEC: MX records not validated by the resolver",
                          "DMARC: v=DMARC1; p=reject"));
  Facts facts = good();
  sign(facts, "3 0 0 6c656166");
  EXPECT_THAT(
      judge(facts).context,
      ElementsAre("mail.example.com: DANE (TLSA, validated by the resolver)", "SPF: v=spf1 -all",
                  "DNSSEC: MX records validated by the resolver", "DMARC: v=DMARC1; p=reject"));
}

struct Spoiled {
  const char* name;
  std::function<void(Facts&)> spoil;
  std::vector<std::string> marks;
};

std::unexpected<Error> error(Code code, const std::string& what = "said so") {
  return fail(code, what);
}

std::vector<Spoiled> spoiled() {
  return {
      // DNS
      {"SERVFAIL", [](Facts& f) { f.sts = error(Code::unreachable); }, {"fail sts-lookup"}},
      {"timeout", [](Facts& f) { f.sts = error(Code::timeout); }, {"fail sts-lookup"}},
      {"no record",
       [](Facts& f) {
         f.sts = nothing();
         f.servers.clear();
       },
       {"fail no-sts-record"}},
      {"two records",
       [](Facts& f) {
         f.sts = answer({"v=STSv1; id=1", "v=STSv1; id=2"});
         f.servers.clear();
       },
       {"fail sts-record"}},
      {"a bad id",
       [](Facts& f) {
         f.sts = answer({"v=STSv1; id=1-2"});
         f.servers.clear();
       },
       {"fail sts-record"}},
      {"a TTL of a week", [](Facts& f) { f.sts->ttl = Duration(604800); }, {"warn sts-ttl"}},
      {"another id at one server",
       [](Facts& f) { f.servers[0].sts = answer({"v=STSv1; id=2"}); },
       {"fail servers-disagree"}},
      {"no id at one server",
       [](Facts& f) {
         f.servers[0].sts = nothing();
         f.servers[0].sts->authoritative = true;
       },
       {"fail servers-disagree"}},
      {"a server that refuses",
       [](Facts& f) { f.servers[0].sts = error(Code::unreachable, "REFUSED"); },
       {"warn server-lame"}},
      {"a server that only refers",
       [](Facts& f) { f.servers[0].sts->authoritative = false; },
       {"warn server-lame"}},
      {"an alias that the servers do not follow",
       [](Facts& f) {
         f.sts->aliases = {"_mta-sts.provider.example"};
         f.servers[0].sts->values.clear();
       },
       {}},
      // the policy host
      {"no address",
       [](Facts& f) {
         f.a = nothing();
         f.policies.clear();
       },
       {"fail policy-host-address"}},
      {"addresses that cannot be asked for",
       [](Facts& f) { f.aaaa = error(Code::timeout); },
       {"fail policy-host-lookup"}},
      {"nobody listens",
       [](Facts& f) { f.policies[0].probe.reply = error(Code::unreachable); },
       {"fail policy-fetch"}},
      {"a bad certificate",
       [](Facts& f) { f.policies[0].probe.reply = error(Code::unauthorized); },
       {"fail policy-certificate"}},
      {"a certificate that ends in a week",
       [](Facts& f) { f.policies[0].probe.tls.not_after = now + Duration(7 * 86400); },
       {"warn policy-certificate-expires"}},
      {"a redirect",
       [](Facts& f) { f.policies[0].probe.reply->status = 301; },
       {"fail policy-status"}},
      {"not found",
       [](Facts& f) { f.policies[0].probe.reply->status = 404; },
       {"fail policy-status"}},
      {"HTML",
       [](Facts& f) { f.policies[0].probe.reply->headers = {{"Content-Type", "text/html"}}; },
       {"warn policy-media-type"}},
      {"no media type",
       [](Facts& f) { f.policies[0].probe.reply->headers.clear(); },
       {"warn policy-media-type"}},
      {"no policy",
       [](Facts& f) { f.policies[0].probe.reply->body = body("strict"); },
       {"fail policy-invalid"}},
      {"two addresses, two policies",
       [](Facts& f) { f.policies.push_back(served(body("testing"), "192.0.2.2")); },
       {"fail policies-differ"}},
      {"an id of another policy",
       [](Facts& f) {
         f.sts = answer({"v=STSv1; id=20261124T081500ZG1F4O3POEEWLEP5J"});
         f.servers.clear();
       },
       {"fail id-announces-another"}},
      {"an id that says which of the patterns are leaving",
       [](Facts& f) {
         const sts::Policy policy = *sts::parse_policy(f.policies[0].probe.reply->body).value;
         f.sts = answer(
             {"v=STSv1; id=20261124T081500ZG1F" + sts::policy_digest(policy, {policy.mx.front()})});
         f.servers.clear();
       },
       {}},
      // mail hosts
      {"MX not readable",
       [](Facts& f) {
         f.mx = error(Code::timeout);
         f.live_mx = error(Code::timeout);
         f.hosts.clear();
       },
       {"fail mx-lookup"}},
      {"no such domain",
       [](Facts& f) {
         f.mx->kind = DnsAnswer::Kind::no_name;
         f.live_mx = error(Code::not_found);
         f.hosts.clear();
       },
       {"fail no-domain"}},
      {"no MX records",
       [](Facts& f) {
         f.policies = {served(body("enforce", "example.com"))};
         f.mx = nothing();
         f.live_mx->hosts = {name("example.com")};
         f.hosts = {mail_host("example.com")};
       },
       {"warn implicit-mx"}},
      {"null MX",
       [](Facts& f) {
         f.mx = answer({"0 ."});
         f.live_mx->hosts.clear();
         f.hosts.clear();
       },
       {}},
      {"an address for a host",
       [](Facts& f) { f.mx->values.emplace_back("20 192.0.2.7"); },
       {"fail mx-invalid"}},
      {"a host that no pattern allows",
       [](Facts& f) { set_mx(f, {"10 mail.example.com", "20 backup.example.net"}); },
       {"fail mx-not-allowed"}},
      {"a pattern without a host",
       [](Facts& f) {
         f.policies = {served(body("enforce", "mail.example.com\r\nmx: old.example.com"))};
       },
       {"warn pattern-unused"}},
      {"a host without an address",
       [](Facts& f) {
         f.hosts[0].a = nothing();
         f.hosts[0].addresses.clear();
       },
       {"fail mx-host-address"}},
      {"a host that cannot be asked for",
       [](Facts& f) {
         f.hosts[0].a = error(Code::timeout);
         f.hosts[0].aaaa = error(Code::timeout);
         f.hosts[0].addresses.clear();
       },
       {"fail mx-host-lookup"}},
      {"a host that is a CNAME",
       [](Facts& f) { f.hosts[0].a->aliases = {"real.example.com"}; },
       {"warn mx-alias"}},
      {"a host out of reach",
       [](Facts& f) { f.hosts[0].addresses[0].probe = {.verdict = error(Code::timeout)}; },
       {"warn mx-unreachable"}},
      {"no STARTTLS",
       [](Facts& f) { f.hosts[0].addresses[0].probe.verdict = error(Code::unsupported); },
       {"fail mx-no-starttls"}},
      {"a bad mail certificate",
       [](Facts& f) { f.hosts[0].addresses[0].probe.verdict = error(Code::unauthorized); },
       {"fail mx-certificate"}},
      {"a handshake that fails",
       [](Facts& f) { f.hosts[0].addresses[0].probe.verdict = error(Code::protocol); },
       {"fail mx-tls"}},
      {"a mail certificate that ends tomorrow",
       [](Facts& f) { f.hosts[0].addresses[0].probe.tls.not_after = now + Duration(86400); },
       {"warn mx-certificate-expires"}},
      // DANE
      {"TLSA records that fit", [](Facts& f) { sign(f, "3 0 0 6c656166"); }, {}},
      {"TLSA records of another certificate",
       [](Facts& f) { sign(f, "3 0 0 6f6c64"); },
       {"fail dane-mismatch"}},
      {"TLSA records that mail servers do not know",
       [](Facts& f) { sign(f, "1 0 0 6c656166"); },
       {"warn dane-unusable"}},
      {"TLSA records that are not validated",
       [](Facts& f) {
         sign(f, "3 0 0 6f6c64");
         f.hosts[0].tlsa->authenticated = false;
       },
       {}},
      {"MX records that are not validated",
       [](Facts& f) {
         sign(f, "3 0 0 6f6c64");
         f.mx->authenticated = false;
       },
       {}},
      {"a certificate for DANE alone",
       [](Facts& f) {
         sign(f, "3 0 0 6c656166");
         f.hosts[0].addresses[0].probe.verdict = error(Code::unauthorized);
       },
       {"fail mx-certificate", "warn dane-contradicts"}},
      {"TLSA records and no STARTTLS",
       [](Facts& f) {
         sign(f, "3 0 0 6c656166");
         f.hosts[0].addresses[0].probe = {
             .reached = true, .greeted = true, .verdict = error(Code::unsupported)};
       },
       {"fail mx-no-starttls", "fail dane-no-starttls"}},
      // TLS-RPT
      {"no TLS-RPT", [](Facts& f) { f.tlsrpt = nothing(); }, {"warn no-tlsrpt"}},
      {"a bad TLS-RPT record",
       [](Facts& f) { f.tlsrpt = answer({"v=TLSRPTv1;"}); },
       {"warn tlsrpt-record"}},
      {"a destination out of reach",
       [](Facts& f) { f.rua = {{"https://r.example/", error(Code::unreachable)}}; },
       {"warn rua-unreachable"}},
  };
}

TEST(Judge, NamesTheOneThingThatIsSpoiled) {
  for (const Spoiled& one : spoiled()) {
    Facts facts = good();
    one.spoil(facts);
    EXPECT_EQ(marks(judge(facts)), one.marks) << one.name;
  }
}

TEST(Judge, WhatSpoilsMailOnlyWarnsBeforeThePolicyEnforces) {
  for (const char* mode : {"testing", "none"}) {
    Facts facts = good(mode);
    facts.hosts[0].addresses[0].probe.verdict = error(Code::unauthorized);
    EXPECT_THAT(marks(judge(facts)), ElementsAre("warn mx-certificate")) << mode;
  }
}

TEST(Judge, SaysWhatWouldBeIfThePolicyEnforced) {
  Facts facts = good("testing");
  EXPECT_EQ(marks(judge(facts, Judged::as_enforced)), marks(judge(facts)));
  facts.hosts[0].addresses[0].probe.verdict = error(Code::unauthorized);
  EXPECT_THAT(marks(judge(facts, Judged::as_enforced)), ElementsAre("fail mx-certificate"));
}

// ---- the gate 'verify' of a rollout ----

Result<rollout::LiveCheck> checked(const Facts& facts, const std::string& published = "testing") {
  return check_live(facts, *sts::parse_policy(body(published)).value, {});
}

TEST(CheckLive, PassesWhatWouldLoseNoMail) {
  Facts facts = good("testing");
  EXPECT_EQ(checked(facts), (rollout::LiveCheck{true, ""}));
  facts.tlsrpt = nothing();  // only a warning
  EXPECT_EQ(checked(facts), (rollout::LiveCheck{true, ""}));
  // One address is enough of a host: senders try them all.
  auto& addresses = facts.hosts[0].addresses;
  addresses.push_back({"2001:db8::25", {.verdict = error(Code::unreachable)}});
  EXPECT_EQ(checked(facts), (rollout::LiveCheck{true, ""}));
}

TEST(CheckLive, FailsWhatWould) {
  Facts facts = good("testing");
  facts.hosts[0].addresses[0].probe.verdict = error(Code::unauthorized);
  const auto check = checked(facts);
  ASSERT_TRUE(check);
  EXPECT_FALSE(check->passed);
  EXPECT_THAT(check->what, testing::StartsWith("mail.example.com [192.0.2.25]: "));
  set_mx(facts, {"10 mail.example.com", "20 other.example.com", "30 third.example.com"});
  EXPECT_THAT(checked(facts)->what, testing::HasSubstr("(and 1 more)"));
}

TEST(CheckLive, FailsWhereSendersSeeAnotherPolicy) {
  EXPECT_EQ(checked(good("testing"), "enforce")->what,
            "senders fetch another policy than the host holds");
}

TEST(CheckLive, CannotBeRunWithoutAWord) {
  Facts facts = good("testing");
  facts.hosts[0].addresses[0].probe = {.verdict = error(Code::timeout)};
  ASSERT_FALSE(checked(facts));
  EXPECT_EQ(checked(facts).error().code, Code::unreachable);
  facts.hosts[0].addresses.clear();
  EXPECT_FALSE(checked(facts));
  const auto alone =
      check_live(good("testing"), *sts::parse_policy(body("testing")).value, {.smtp = false});
  EXPECT_EQ(alone.error().code, Code::unsupported);
}

}  // namespace
}  // namespace stsctl::engine
