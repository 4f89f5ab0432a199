// What the generated Worker answers, in the runtime that Cloudflare runs it in.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/curl_http.h"
#include "providers/cloudflare/script.h"
#include "servers/workerd.h"

namespace stsctl::providers::cloudflare {
namespace {

const std::string policy =
    "version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmax_age: 604800\r\n";

std::string every_byte() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte)
    bytes += static_cast<char>(byte);
  return bytes;
}

Policies policies() {
  const auto name = [](const char* text) { return *dns::Name::parse(text); };
  return {{name("example.com"), policy},
          {name("example.org"), "version: STSv1\nmode: none\nmax_age: 86400"},
          {name("xn--bcher-kva.example"), every_byte() + std::string(70'000, 'x')},
          {name("empty.example"), ""}};
}

class ScriptRuntime : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    workerd_ = std::make_unique<servers::Workerd>(render_script(policies()));
  }
  static void TearDownTestSuite() { workerd_.reset(); }

  static io::Reply ask(const std::string& host, const std::string& target,
                       const std::string& method = "GET", const std::string& body = {}) {
    const auto reply = io::real_http()->send(
        {.method = method,
         .url = fmt::format("http://127.0.0.1:{}{}", workerd_->port(), target),
         .headers = {{"Host", host}},
         .body = body});
    if (!reply) throw std::runtime_error(to_string(reply.error()));
    return *reply;
  }

  static inline std::unique_ptr<servers::Workerd> workerd_;
};

constexpr const char* well_known = "/.well-known/mta-sts.txt";

TEST_F(ScriptRuntime, ServesEachDomainItsPolicyByteForByte) {
  for (const auto& [domain, body] : policies()) {
    const io::Reply reply = ask("mta-sts." + domain.text(), well_known);
    EXPECT_EQ(reply.status, 200) << domain.text();
    EXPECT_EQ(reply.body, body) << domain.text();
    EXPECT_EQ(reply.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(reply.header("Cache-Control"), "max-age=60");
    EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(reply.header("Content-Length"), std::to_string(body.size()));
  }
}

TEST_F(ScriptRuntime, AnswersHeadWithTheSameHead) {
  const io::Reply reply = ask("mta-sts.example.com", well_known, "HEAD");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(reply.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(reply.header("Content-Length"), std::to_string(policy.size()));
}

TEST_F(ScriptRuntime, TakesAHostInAnyCaseWithAPortAndAQuery) {
  for (const char* host : {"MTA-STS.Example.Com", "mta-sts.example.com:443"})
    EXPECT_EQ(ask(host, std::string(well_known) + "?x=1").body, policy) << host;
}

TEST_F(ScriptRuntime, HasNothingElse) {
  struct Case {
    const char* host;
    const char* target;
  };
  for (const Case& one : std::vector<Case>{{"mta-sts.example.com", "/"},
                                           {"mta-sts.example.com", "/.well-known/mta-sts.txt/"},
                                           {"mta-sts.example.com", "/.well-known/mta-sts.TXT"},
                                           {"mta-sts.example.com", "//.well-known/mta-sts.txt"},
                                           {"mta-sts.example.com", "/?/.well-known/mta-sts.txt"},
                                           {"example.com", well_known},
                                           {"mta-sts.other.example", well_known},
                                           {"mta-sts.mta-sts.example.com", well_known},
                                           {"constructor", well_known},
                                           {"size", well_known},
                                           {"127.0.0.1", well_known}}) {
    const io::Reply reply = ask(one.host, one.target);
    EXPECT_EQ(reply.status, 404) << one.host << one.target;
    EXPECT_EQ(reply.body, "not found\n");
    EXPECT_EQ(reply.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(reply.header("Cache-Control"), "no-store");
  }
}

TEST_F(ScriptRuntime, TakesNoOtherMethod) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const io::Reply reply = ask("mta-sts.example.com", well_known, method, "x");
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_EQ(reply.header("Allow"), "GET, HEAD") << method;
    EXPECT_EQ(ask("mta-sts.other.example", well_known, method, "x").status, 404) << method;
  }
}

TEST(ScriptRuntimeScale, TenThousandPoliciesAreServed) {
  Policies many;
  for (int i = 0; i < 10'000; ++i)
    many.emplace(*dns::Name::parse(fmt::format("d{}.example", i)), policy);
  const std::string script = render_script(many);
  EXPECT_LT(script.size(), std::size_t{3} << 20U);  // of 64 MiB
  const servers::Workerd workerd(script);
  const auto reply = io::real_http()->send(
      io::get(fmt::format("http://127.0.0.1:{}{}", workerd.port(), well_known),
              {{"Host", "mta-sts.d9999.example"}}));
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(reply->body, policy);
}

}  // namespace
}  // namespace stsctl::providers::cloudflare
