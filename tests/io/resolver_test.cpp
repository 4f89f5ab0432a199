// Questions to a real name server, and what goes wrong on the way.

#include "io/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "servers/name_server.h"

namespace stsctl::io {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

class ResolverTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string large;
    for (int i = 0; i < 12; ++i)
      large += " \"" + std::string(250, static_cast<char>('a' + i)) + "\"";
    server = servers::start_bind(
        {{"example.com",
          {"example.com. 300 IN MX 10 Mail.Example.COM.",
           "example.com. 300 IN MX 20 b.example.net.", "null.example.com. 300 IN MX 0 .",
           "mail.example.com. 60 IN A 192.0.2.1", "mail.example.com. 60 IN AAAA 2001:db8:0::1",
           "_mta-sts.example.com. 120 IN TXT \"v=STSv1; \" \"id=1\"",
           "alias.example.com. 900 IN CNAME _mta-sts.example.com.",
           "away.example.com. 900 IN CNAME elsewhere.example.net.",
           "_25._tcp.mail.example.com. 300 IN TLSA 3 1 1 "
           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
           "large.example.com. 300 IN TXT" + large}}});
  }
  static void TearDownTestSuite() { server.reset(); }

  static Result<DnsAnswer> ask(const std::string& owner, Question question) {
    return resolver({"127.0.0.1", server->port()})->resolve(name(owner), question);
  }

  static std::unique_ptr<Resolver> resolver(const Nameserver& at) {
    static const std::unique_ptr<DnsExchange> exchange = real_dns_exchange();
    return real_resolver(*exchange, {.servers = {at}, .timeout = milliseconds(500)});
  }

  static inline std::unique_ptr<servers::NameServer> server;
};

TEST_F(ResolverTest, ReadsValuesInTheirCanonicalForm) {
  struct Case {
    std::string owner;
    Question question;
    std::vector<std::string> values;
    int ttl;
  };
  for (const Case& one : std::vector<Case>{
           {"example.com", Question::mx, {"10 mail.example.com", "20 b.example.net"}, 300},
           {"null.example.com", Question::mx, {"0 ."}, 300},
           {"mail.example.com", Question::a, {"192.0.2.1"}, 60},
           {"mail.example.com", Question::aaaa, {"2001:db8::1"}, 60},
           {"_mta-sts.example.com", Question::txt, {"v=STSv1; id=1"}, 120},
           {"away.example.com", Question::cname, {"elsewhere.example.net"}, 900},
           {"_25._tcp.mail.example.com",
            Question::tlsa,
            {"3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
            300}}) {
    const auto answer = ask(one.owner, one.question);
    ASSERT_TRUE(answer) << to_string(answer.error());
    EXPECT_EQ(answer->kind, DnsAnswer::Kind::records);
    EXPECT_THAT(answer->values, testing::UnorderedElementsAreArray(one.values));
    EXPECT_EQ(answer->ttl, Duration(one.ttl));
    EXPECT_TRUE(answer->authoritative);
    EXPECT_FALSE(answer->authenticated);
  }
}

TEST_F(ResolverTest, FollowsAliasesAndTakesTheShortestTtl) {
  const auto answer = ask("alias.example.com", Question::txt);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_THAT(answer->aliases, ElementsAre("_mta-sts.example.com"));
  EXPECT_THAT(answer->values, ElementsAre("v=STSv1; id=1"));
  EXPECT_EQ(answer->ttl, Duration(120));
}

TEST_F(ResolverTest, TellsNoSuchNameFromNoSuchRecord) {
  const auto no_name = ask("nobody.example.com", Question::txt);
  const auto no_data = ask("mail.example.com", Question::txt);
  ASSERT_TRUE(no_name);
  ASSERT_TRUE(no_data);
  EXPECT_EQ(no_name->kind, DnsAnswer::Kind::no_name);
  EXPECT_EQ(no_data->kind, DnsAnswer::Kind::no_data);
  EXPECT_THAT(no_data->values, IsEmpty());
  EXPECT_GT(no_name->ttl, Duration(0)) << "the SOA says how long that holds";
}

TEST_F(ResolverTest, TakesTcpForWhatUdpCannotHold) {
  const auto answer = ask("large.example.com", Question::txt);
  ASSERT_TRUE(answer) << to_string(answer.error());
  ASSERT_EQ(answer->values.size(), 1);
  EXPECT_EQ(answer->values[0].size(), 12 * 250);
}

TEST_F(ResolverTest, NamesTheServerThatRefuses) {
  const auto answer = ask("example.org", Question::a);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unreachable);
  EXPECT_THAT(answer.error().what, HasSubstr("REFUSED"));
  EXPECT_THAT(answer.error().where, HasSubstr("example.org A at 127.0.0.1:"));
}

TEST_F(ResolverTest, AsksTheNextServerWhereOneDoesNotListen) {
  const std::unique_ptr<DnsExchange> exchange = real_dns_exchange();
  const auto two = real_resolver(
      *exchange, {.servers = {{"127.0.0.1", servers::free_port()}, {"127.0.0.1", server->port()}},
                  .timeout = milliseconds(500)});
  EXPECT_TRUE(two->resolve(name("example.com"), Question::mx));
}

TEST_F(ResolverTest, GivesUpOnAServerThatIsSilent) {
  const servers::SilentUdp silent;
  const auto answer =
      resolver({"127.0.0.1", silent.port()})->resolve(name("example.com"), Question::a);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::timeout);
}

TEST(Nameservers, AreReadWithAndWithoutPort) {
  struct Case {
    std::string text;
    Nameserver server;
  };
  for (const Case& one : std::vector<Case>{{"192.0.2.1", {"192.0.2.1", 53}},
                                           {"192.0.2.1:5353", {"192.0.2.1", 5353}},
                                           {"2001:db8::1", {"2001:db8::1", 53}},
                                           {"[2001:db8::1]:5353", {"2001:db8::1", 5353}},
                                           {"[2001:db8::1]", {"2001:db8::1", 53}}}) {
    const auto server = parse_nameserver(one.text);
    ASSERT_TRUE(server) << one.text;
    EXPECT_EQ(*server, one.server);
    EXPECT_EQ(*parse_nameserver(to_string(*server)), one.server);
  }
  for (const char* text : {"", "dns.example", "192.0.2.1:0", "192.0.2.1:x", "192.0.2.1:70000",
                           "192.0.2", "[2001:db8::1", "[2001:db8::1]x", "[2001:db8::1]:"})
    EXPECT_FALSE(parse_nameserver(text)) << text;
}

}  // namespace
}  // namespace stsctl::io
