#include "engine/mx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::engine {
namespace {

using io::DnsAnswer;

const dns::Name domain = *dns::Name::parse("example.com");

std::vector<std::string> texts(const plan::LiveMx& mx) {
  std::vector<std::string> texts;
  for (const dns::Name& host : mx.hosts)
    texts.push_back(host.text());
  return texts;
}

TEST(LiveMx, IsWhatSendersMakeOfTheAnswer) {
  struct Case {
    const char* name;
    DnsAnswer answer;
    std::vector<std::string> hosts;
  };
  for (const Case& one : std::vector<Case>{
           {"by preference, equal ones as they came",
            {.values = {"20 c.example", "10 b.example", "10 a.example"}},
            {"b.example", "a.example", "c.example"}},
           {"none: the domain itself", {.kind = DnsAnswer::Kind::no_data}, {"example.com"}},
           {"null MX: no mail", {.values = {"0 ."}}, {}},
           {"a name no certificate can have",
            {.values = {"10 bad host.example", "20 good.example"}},
            {"good.example"}},
           {"an address", {.values = {"10 192.0.2.7", "20 good.example"}}, {"good.example"}}}) {
    const auto mx = live_mx(domain, one.answer);
    ASSERT_TRUE(mx) << one.name;
    EXPECT_EQ(texts(*mx), one.hosts) << one.name;
    EXPECT_EQ(mx->implicit, one.answer.kind == DnsAnswer::Kind::no_data) << one.name;
  }
}

TEST(LiveMx, OfADomainThatDoesNotExist) {
  const auto mx = live_mx(domain, {.kind = DnsAnswer::Kind::no_name});
  ASSERT_FALSE(mx);
  EXPECT_EQ(mx.error().code, Code::not_found);
}

// Answers what it is given, and counts.
class FakeResolver : public io::Resolver {
 public:
  Result<DnsAnswer> resolve(const dns::Name& name, io::Question question) override {
    EXPECT_EQ(question, io::Question::mx);
    if (name.text() == "broken.example") return fail(Code::timeout, "no answer");
    return DnsAnswer{.values = {"10 mail." + name.text()}, .ttl = Duration(60)};
  }
  Result<DnsAnswer> ask(const io::Nameserver&, const dns::Name&, io::Question) override {
    return fail(Code::internal, "nobody asks a server");
  }
};

TEST(ObserveMx, KeepsOrderAndOneFailureApart) {
  std::vector<dns::Name> domains;
  for (int i = 0; i < 500; ++i)
    domains.push_back(*dns::Name::parse("d" + std::to_string(i) + ".example"));
  domains[250] = *dns::Name::parse("broken.example");
  FakeResolver resolver;
  const auto found = observe_mx(domains, resolver, {});
  ASSERT_EQ(found.size(), domains.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].has_value(), i != 250) << i;
    if (found[i]) EXPECT_EQ(found[i]->hosts.front(), domains[i].under("mail"));
  }
}

TEST(ObserveMx, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  FakeResolver resolver;
  const auto found = observe_mx({domain}, resolver, {stop.get_token(), {}});
  ASSERT_FALSE(found.front());
  EXPECT_EQ(found.front().error().code, Code::cancelled);
}

}  // namespace
}  // namespace stsctl::engine
