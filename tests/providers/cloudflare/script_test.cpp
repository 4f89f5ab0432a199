#include "providers/cloudflare/script.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace stsctl::providers::cloudflare {
namespace {

const std::string policy =
    "version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmax_age: 604800\r\n";

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

Policies two() {
  return {{name("example.com"), policy},
          {name("b\xc3\xbc"
                "cher.example"),
           "version: STSv1\nmode: none"}};
}

TEST(WorkerScript, IsForPeopleToRead) {
  const std::string script = render_script(two());
  EXPECT_TRUE(script.starts_with("// Written by stsctl: the MTA-STS policies (RFC 8461)"))
      << script;
  EXPECT_NE(script.find(R"(const policies = new Map([
  ["mta-sts.example.com",
    "version: STSv1\r\n" +
    "mode: enforce\r\n" +
    "mx: *.example.com\r\n" +
    "max_age: 604800\r\n"],
  ["mta-sts.xn--bcher-kva.example",
    "version: STSv1\n" +
    "mode: none"],
]);
)"),
            std::string::npos)
      << script;
}

TEST(WorkerScript, ComesBackByteForByte) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte)
    every_byte += static_cast<char>(byte);
  for (const std::string& body :
       {policy, std::string(), std::string("\n"), std::string("\n\n\r"), std::string("no line end"),
        every_byte, every_byte + every_byte, std::string("\\x41 \" ]); \\"),
        std::string("\" +\n\"],\n"), std::string("\xef\xbb\xbf\xc3\xbc"), std::string(100'000, 'x'),
        std::string(10'000, '\n')}) {
    Policies policies = two();
    policies[name("other.example")] = body;
    EXPECT_EQ(read_script(render_script(policies)), policies) << printable(body.substr(0, 80));
  }
  EXPECT_EQ(read_script(render_script({})), Policies());
}

TEST(WorkerScript, EqualPoliciesMakeEqualBytes) {
  EXPECT_EQ(render_script(two()), render_script(*read_script(render_script(two()))));
}

struct Change {
  const char* from;
  const char* to;
};

// A script is ours or it is not: nothing that somebody changed is read as if it were.
TEST(WorkerScript, AnyOtherIsRefused) {
  const std::string script = render_script(two());
  std::vector<std::string> others{"",
                                  "\n",
                                  script + "\n",
                                  script + "// mine\n",
                                  " " + script,
                                  script.substr(0, script.size() - 1),
                                  script.substr(1),
                                  "export default { fetch: () => new Response('mine') };\n"};
  for (const Change& change :
       std::vector<Change>{{"Written by stsctl", "Once written by stsctl"},
                           {"example.com\",", "Example.com\","},
                           {"\"mta-sts.example.com", "\"mta-sts.zzz.example"},
                           {"mta-sts.example.com", "mta-sts.not a name"},
                           {"mta-sts.example.com", "mta-sts.xn--bcher-kva.example"},
                           {"mta-sts.example.com", "www.example.com"},
                           {"    \"mode: enforce", "    'mode: enforce"},
                           {"    \"mode: enforce", "    // mine\n    \"mode: enforce"},
                           {"    \"mode: enforce", "  \"mode: enforce"},
                           {"mode: enforce\\r\\n\" +\n    \"", "mode: enforce\\r\\n"},
                           {"enforce", "\\x65nforce"},
                           {"enforce", "\\enforce"},
                           {"enforce", "\xc3\xbc"},
                           {"mode: none\"],", "mode: none\" +"},
                           {"mode: none\"],", "mode: none\"], // mine"},
                           {"]);", "[\"mta-sts.mine.example\", \"x\"],\n]);"},
                           {"status,\n", "status: 200,\n"},
                           {"\n", "\r\n"}}) {
    others.push_back(replaced(script, change.from, change.to));
    EXPECT_NE(others.back(), script) << change.from;
  }
  for (const std::string& other : others) {
    const auto policies = read_script(other);
    ASSERT_FALSE(policies) << other;
    EXPECT_EQ(policies.error().code, Code::refused);
  }
}

}  // namespace
}  // namespace stsctl::providers::cloudflare
