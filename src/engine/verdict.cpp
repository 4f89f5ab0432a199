#include "engine/verdict.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "engine/dane.h"
#include "engine/mx.h"
#include "sts/policy_id.h"
#include "sts/record.h"

namespace stsctl::engine {

namespace {

constexpr Duration renew_before{14 * 86400};
constexpr Duration day{86400};
constexpr Duration long_ttl{86400};
constexpr Duration weeks{14 * 86400};  // RFC 8461 §3.2 expects "weeks or greater"

using Answer = Result<io::DnsAnswer>;

// How a question failed, told apart as it must be: no answer is not "no record".
std::string lookup_text(const Error& error) {
  return error.code == Code::timeout ? "no name server answers in time" : printable(error.what);
}

class Judge {
 public:
  Judge(const Facts& facts, Judged judged)
      : facts_(facts), judged_(judged), verdict_{.domain = facts.domain} {}

  Verdict run() && {
    // Of a name that does not exist there is nothing else to say.
    if (facts_.mx && facts_.mx->kind == io::DnsAnswer::Kind::no_name)
      judge_mx();
    else
      judge_all();
    for (const VerifyFinding& finding : verdict_.findings)
      verdict_.grade = std::max(verdict_.grade, finding.grade);
    return std::move(verdict_);
  }

 private:
  void judge_all() {
    judge_record();
    judge_servers();
    judge_policy_host();
    judge_policy();
    judge_id();
    judge_mx();
    for (const HostFacts& host : facts_.hosts)
      judge_host(host);
    judge_patterns();
    judge_tlsrpt();
    add_context();
  }

  void add(Grade grade, std::string id, std::string subject, std::string text,
           std::string mend = {}) {
    verdict_.findings.push_back(
        {grade, std::move(id), std::move(subject), std::move(text), std::move(mend)});
  }

  std::string owner(const char* label) const { return facts_.domain.under(label).text(); }

  bool enforced() const { return verdict_.policy && verdict_.policy->mode == sts::Mode::enforce; }
  // What spoils mail is a failure once the policy is enforced, and a warning before.
  Grade spoils_mail() const {
    return enforced() || judged_ == Judged::as_enforced ? Grade::fail : Grade::warn;
  }
  const char* will() const { return enforced() ? "will" : "would, once the policy enforces,"; }

  void take(const std::vector<sts::Finding>& findings, const std::string& id,
            const std::string& subject, Grade bad) {
    for (const sts::Finding& finding : findings)
      add(finding.severity == sts::Severity::error ? bad : Grade::warn, id, subject,
          fmt::format("{} ({})", finding.message, finding.rule));
  }

  // ---- DNS ----

  void judge_record() {
    const std::string name = owner("_mta-sts");
    if (!facts_.sts)
      return add(Grade::fail, "sts-lookup", name,
                 lookup_text(facts_.sts.error()) +
                     ": senders go on with the policy they have, and new ones take none",
                 "see to the zone's name servers");
    if (!facts_.sts->aliases.empty())
      add(Grade::pass, "sts-alias", name, "is answered for by " + facts_.sts->aliases.back());
    if (facts_.sts->values.empty())
      return add(Grade::fail, "no-sts-record", name,
                 "there is no record: senders look for no policy", "publish it: stsctl apply");
    const auto checked = sts::parse_sts_records(facts_.sts->values);
    take(checked.findings, "sts-record", name, Grade::fail);
    if (!checked.value) return;
    verdict_.id = checked.value->id;
    if (facts_.sts->ttl > long_ttl)
      add(Grade::warn, "sts-ttl", name,
          fmt::format("resolvers keep the record for {}: senders see a new id as late as that",
                      describe_duration(facts_.sts->ttl)),
          "a TTL of 5 minutes to 1 hour is usual");
  }

  void judge_servers() {
    if (!facts_.sts) return;
    std::set<std::string> expected(facts_.sts->values.begin(), facts_.sts->values.end());
    for (const ServerFacts& server : facts_.servers) {
      const std::string subject = fmt::format("{} [{}]", server.name, io::to_string(server.server));
      if (!server.sts) {
        add(Grade::warn, "server-lame", subject,
            lookup_text(server.sts.error()) + ": resolvers that ask it must try another",
            "mend the server, or take it out of the zone's NS records");
      } else if (!server.sts->authoritative) {
        add(Grade::warn, "server-lame", subject, "does not answer for the zone",
            "load the zone there, or take the server out of the NS records");
      } else if (facts_.sts->aliases.empty() &&
                 std::set(server.sts->values.begin(), server.sts->values.end()) != expected) {
        add(Grade::fail, "servers-disagree", subject,
            fmt::format("says '{}' where others say '{}': which id a sender sees is chance",
                        printable(join(server.sts->values, "', '")),
                        printable(join(facts_.sts->values, "', '"))),
            "see why the zone's servers differ (a transfer that failed, an edit in two places)");
      }
    }
  }

  // ---- the policy ----

  void judge_policy_host() {
    const std::string name = owner("mta-sts");
    for (const auto& [answer, type] : {std::pair{&facts_.a, "A"}, {&facts_.aaaa, "AAAA"}})
      if (!*answer)
        add(Grade::fail, "policy-host-lookup", name,
            fmt::format("{}: {}", type, lookup_text(answer->error())));
    if (facts_.a && facts_.aaaa && facts_.policies.empty())
      add(Grade::fail, "policy-host-address", name,
          "has no address: senders cannot fetch the policy", "publish it: stsctl apply");
  }

  void judge_policy() {
    std::vector<std::pair<std::string, sts::Policy>> read;
    for (const PolicyFacts& seen : facts_.policies) {
      const std::string subject = fmt::format("{} [{}]", owner("mta-sts"), seen.address);
      judge_certificate(seen.probe.tls, subject, "policy-certificate-expires");
      if (!seen.probe.reply) {
        const Error& error = seen.probe.reply.error();
        add(Grade::fail, error.code == Code::unauthorized ? "policy-certificate" : "policy-fetch",
            subject, printable(error.what) + ": senders cannot fetch the policy", error.hint);
        continue;
      }
      if (auto policy = judge_reply(*seen.probe.reply, subject))
        read.emplace_back(seen.address, std::move(*policy));
    }
    if (read.empty()) return;
    verdict_.policy = read.front().second;
    for (const auto& [address, policy] : read)
      if (!sts::same_policy(policy, read.front().second))
        add(Grade::fail, "policies-differ", fmt::format("{} [{}]", owner("mta-sts"), address),
            "serves another policy than " + read.front().first +
                ": which one a sender stores is chance",
            "bring all addresses of the policy host to the same file");
    judge_values(*verdict_.policy);
  }

  std::optional<sts::Policy> judge_reply(const io::Reply& reply, const std::string& subject) {
    if (reply.status >= 300 && reply.status < 400) {
      add(Grade::fail, "policy-status", subject,
          fmt::format("redirects to '{}' ({}): senders follow no redirect (RFC 8461 §3.3)",
                      printable(reply.header("Location").value_or("")), reply.status),
          "serve the file at this very address");
      return std::nullopt;
    }
    if (reply.status != 200) {
      add(Grade::fail, "policy-status", subject,
          fmt::format("answers {}: senders take no policy from that (RFC 8461 §3.3)",
                      reply.status));
      return std::nullopt;
    }
    const std::string type = lower(reply.header("Content-Type").value_or(""));
    if (trim(std::string_view(type).substr(0, type.find(';'))) != "text/plain")
      add(Grade::warn, "policy-media-type", subject,
          fmt::format("is served as '{}': some senders take only text/plain (RFC 8461 §3.2)",
                      printable(type)),
          "have the web server send Content-Type: text/plain");
    const auto checked = sts::parse_policy(reply.body);
    take(checked.findings, "policy-invalid", subject, Grade::fail);
    return checked.value;
  }

  void judge_values(const sts::Policy& policy) {
    if (policy.mode == sts::Mode::testing)
      add(Grade::pass, "mode-testing", owner("mta-sts"),
          "mode testing: failures are reported, mail is delivered all the same");
    if (policy.mode == sts::Mode::none)
      add(Grade::pass, "mode-none", owner("mta-sts"), "mode none: as if there were no policy");
    if (policy.mode == sts::Mode::enforce && policy.max_age < weeks)
      add(Grade::pass, "short-max-age", owner("mta-sts"),
          fmt::format("max_age is {}: good while a rollout lasts, little against an attacker "
                      "(RFC 8461 §10.2)",
                      format_duration(policy.max_age)));
  }

  void judge_certificate(const io::TlsFacts& tls, const std::string& subject, const char* id) {
    if (!tls.shown || !tls.trusted) return;
    const Duration left = tls.not_after - facts_.when;
    if (left < renew_before)
      add(Grade::warn, id, subject,
          fmt::format("the certificate ends {} ({} days left)", format_time(tls.not_after),
                      left / day),
          "see whether it is renewed by itself");
  }

  void judge_id() {
    const auto id = sts::parse_policy_id(verdict_.id);
    if (id && verdict_.policy && !sts::announces(*id, *verdict_.policy))
      add(Grade::fail, "id-announces-another", owner("_mta-sts"),
          "the id was made for another policy than the one served: senders that have this id do "
          "not fetch the new one",
          "publish both together: stsctl apply");
  }

  // ---- mail hosts ----

  void judge_mx() {
    const std::string& name = facts_.domain.text();
    if (!facts_.mx)
      return add(Grade::fail, "mx-lookup", name,
                 lookup_text(facts_.mx.error()) + ": senders cannot deliver");
    if (!facts_.live_mx)
      return add(Grade::fail, "no-domain", name, printable(facts_.live_mx.error().what),
                 facts_.live_mx.error().hint);
    if (facts_.mx->kind == io::DnsAnswer::Kind::no_data)
      add(Grade::warn, "implicit-mx", name,
          "has no MX record: senders deliver to the domain's own address (RFC 5321 §5.1)",
          "name the mail host in an MX record");
    else if (facts_.live_mx->hosts.empty() && !is_null_mx())
      add(Grade::fail, "mx-invalid", name, "no MX record names a host that can be looked up");
    else if (facts_.live_mx->hosts.empty())
      add(Grade::pass, "no-mail", name, "takes no mail (null MX, RFC 7505)");
    for (const std::string& value : facts_.mx->values)
      if (is_unusable(value))
        add(Grade::fail, "mx-invalid", name,
            fmt::format("the MX record '{}' names no host: senders pass it by", printable(value)),
            "an MX record names a host, never an address (RFC 5321 §5.1)");
  }

  bool is_null_mx() const {
    return facts_.mx->values.size() == 1 && facts_.mx->values.front().ends_with(" .");
  }

  bool is_unusable(const std::string& value) const {
    const std::string host = value.substr(value.find(' ') + 1);
    if (host == ".") return facts_.mx->values.size() > 1;
    return !mail_host(host);
  }

  void judge_host(const HostFacts& host) {
    const std::string& name = host.host.text();
    if (!host.a && !host.aaaa)
      return add(spoils_mail(), "mx-host-lookup", name, lookup_text(host.a.error()));
    if ((host.a && !host.a->aliases.empty()) || (host.aaaa && !host.aaaa->aliases.empty()))
      add(Grade::warn, "mx-alias", name,
          "is a CNAME, which the name of an MX record must not be (RFC 2181 §10.3): senders "
          "differ in the name they hold the certificate against",
          "name the host itself in the MX record");
    const bool empty = host.a && host.a->values.empty() && host.aaaa && host.aaaa->values.empty();
    if (empty)
      return add(spoils_mail(), "mx-host-address", name,
                 "has no address: senders must use another MX host, if there is one");
    for (const HostFacts::Address& address : host.addresses)
      judge_probe(address.probe, fmt::format("{} [{}]", name, address.address));
    judge_dane(host);
  }

  void judge_probe(const io::SmtpProbe& probe, const std::string& subject) {
    judge_certificate(probe.tls, subject, "mx-certificate-expires");
    if (probe.verdict) return;
    const Error& error = probe.verdict.error();
    if (!probe.reached)
      return add(Grade::warn, "mx-unreachable", subject,
                 printable(error.what) + ": senders try the next MX host",
                 "if every host is out of reach, this network may close port 25: look from "
                 "elsewhere, or with --no-smtp");
    const auto refuse = [&](const char* id, const std::string& mend) {
      add(spoils_mail(), id, subject,
          fmt::format("{}: senders {} not deliver to it", printable(error.what), will()), mend);
    };
    if (error.code == Code::unsupported)
      return refuse("mx-no-starttls", "turn on STARTTLS at the mail server");
    if (error.code == Code::unauthorized)
      return refuse("mx-certificate",
                    "the certificate must be valid for the name in the MX record");
    refuse(probe.starttls ? "mx-tls" : "mx-smtp", error.hint);
  }

  // DANE goes before MTA-STS (RFC 8461 §2), and needs the MX records validated too (RFC 7672
  // §2.2.1).
  void judge_dane(const HostFacts& host) {
    if (!host.tlsa || host.tlsa->values.empty()) return;
    const std::string& name = host.host.text();
    if (!host.tlsa->authenticated || !facts_.mx || !facts_.mx->authenticated)
      return add(
          Grade::pass, "tlsa-unsigned", name,
          "has TLSA records that the resolver has not validated, or not the MX records: DANE "
          "is in force only where both zones are signed (RFC 7672), and goes before MTA-STS "
          "there");
    verdict_.context.push_back(name + ": DANE (TLSA, validated by the resolver)");
    for (const HostFacts::Address& address : host.addresses)
      judge_dane_at(host, address.probe, fmt::format("{} [{}]", name, address.address));
  }

  void judge_dane_at(const HostFacts& host, const io::SmtpProbe& probe,
                     const std::string& subject) {
    if (probe.greeted && !probe.starttls)
      return add(Grade::fail, "dane-no-starttls", subject,
                 "offers no STARTTLS, yet has TLSA records: senders that heed DANE do not deliver, "
                 "whatever the policy says",
                 "turn on STARTTLS at the mail server, or remove the TLSA records");
    if (!probe.tls.shown) return;
    switch (judge_tlsa(host.tlsa->values, probe.tls)) {
      case Dane::differs:
        return add(Grade::fail, "dane-mismatch", subject,
                   "no TLSA record fits the certificate: senders that heed DANE do not deliver, "
                   "whatever the policy says (RFC 8461 §2)",
                   "publish the TLSA record of a certificate before it is used, and wait for the "
                   "TTL of the old one");
      case Dane::unusable:
        return add(Grade::warn, "dane-unusable", subject,
                   "no TLSA record is one that mail servers know (usage 2 or 3): senders that heed "
                   "DANE demand TLS and authenticate nobody (RFC 7672 §3.1.3)",
                   "publish \"3 1 1\" with the SHA-256 of the public key");
      case Dane::matches:
        if (!probe.verdict && probe.verdict.error().code == Code::unauthorized)
          add(Grade::warn, "dane-contradicts", subject,
              "the certificate fits the TLSA records and not MTA-STS: senders that heed DANE "
              "deliver, those that know only MTA-STS do not",
              "have the certificate signed by a CA that the senders trust, for this name");
    }
  }

  void judge_patterns() {
    if (!verdict_.policy || verdict_.policy->mode == sts::Mode::none || !facts_.live_mx) return;
    for (const dns::Name& host : facts_.live_mx->hosts)
      if (!sts::matches(*verdict_.policy, host))
        add(spoils_mail(), "mx-not-allowed", host.text(),
            fmt::format("no mx pattern of the policy matches: senders {} not deliver to it",
                        will()),
            "add a pattern for it, or take it out of the MX records");
    for (const sts::MxPattern& pattern : verdict_.policy->mx)
      if (!facts_.live_mx->hosts.empty() &&
          std::ranges::none_of(facts_.live_mx->hosts,
                               [&](const dns::Name& host) { return sts::matches(pattern, host); }))
        add(Grade::warn, "pattern-unused", sts::format_mx_pattern(pattern),
            "matches no MX host now: it only widens what a sender accepts (RFC 8461 §10.4)",
            "take it out once no sender can hold an MX record that needs it");
  }

  // ---- beside it ----

  void judge_tlsrpt() {
    const std::string name = owner("_smtp._tls");
    if (!facts_.tlsrpt)
      return add(Grade::warn, "tlsrpt-lookup", name, lookup_text(facts_.tlsrpt.error()));
    if (facts_.tlsrpt->values.empty())
      return add(Grade::warn, "no-tlsrpt", name,
                 "there is no record: no sender tells of TLS failures", "configure 'tlsrpt'");
    const auto checked = sts::parse_tlsrpt_records(facts_.tlsrpt->values);
    take(checked.findings, "tlsrpt-record", name, Grade::warn);
    for (const RuaFacts& rua : facts_.rua)
      if (!rua.reached)
        add(Grade::warn, "rua-unreachable", printable(rua.uri),
            printable(rua.reached.error().what) + ": reports sent there are lost");
  }

  static std::string first_with(const Answer& answer, std::string_view prefix) {
    if (!answer) return "could not be read";
    for (const std::string& value : answer->values)
      if (lower(value).starts_with(prefix)) return value;
    return {};
  }

  void add_context() {
    const std::string spf = first_with(facts_.txt, "v=spf1");
    verdict_.context.push_back("SPF: " + (spf.empty() ? "none" : printable(spf)));
    const std::string dmarc = first_with(facts_.dmarc, "v=dmarc1");
    if (facts_.mx)
      verdict_.context.push_back(std::string("DNSSEC: MX records ") +
                                 (facts_.mx->authenticated ? "validated by the resolver"
                                                           : "not validated by the resolver"));
    verdict_.context.push_back("DMARC: " + (dmarc.empty() ? "none" : printable(dmarc)));
  }

  const Facts& facts_;
  Judged judged_;
  Verdict verdict_;
};

}  // namespace

const char* to_string(Grade grade) {
  switch (grade) {
    case Grade::pass:
      return "pass";
    case Grade::warn:
      return "warn";
    case Grade::fail:
      return "fail";
  }
  return "fail";
}

Verdict judge(const Facts& facts, Judged judged) {
  return Judge(facts, judged).run();
}

}  // namespace stsctl::engine
