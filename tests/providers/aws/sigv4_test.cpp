// Signatures against those AWS publishes, and against botocore's.
#include "providers/aws/sigv4.h"

#include <ostream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "servers/running.h"

namespace stsctl::providers::aws {
namespace {

using nlohmann::json;

struct Case {
  const char* name;
  io::Request request;
  const char* signature;  // "": known to nobody but the judge
  Scope scope{"us-east-1", "service"};
  const char* date = "20150830T123600Z";
  Credentials keys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
};

const char* const host = "https://example.amazonaws.com";

io::Request request(const std::string& method, const std::string& url,
                    std::vector<io::Header> headers = {}, std::string body = {}) {
  return {.method = method, .url = url, .headers = std::move(headers), .body = std::move(body)};
}

// The examples of AWS's Signature Version 4 test suite.
std::vector<Case> suite() {
  const std::string form = "application/x-www-form-urlencoded";
  return {
      {"get-vanilla", request("GET", host + std::string("/")),
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"no path at all", request("GET", host),
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case",
       request("GET", host + std::string("/?Param2=value2&Param1=value1")),
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-utf8", request("GET", host + std::string("/%E1%88%B4")), ""},
      {"get-relative-relative", request("GET", host + std::string("/example1/example2/../..")),
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-slash-dot-slash", request("GET", host + std::string("/./")),
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"post-vanilla", request("POST", host + std::string("/")),
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-x-www-form-urlencoded",
       request("POST", host + std::string("/"), {{"Content-Type", form}}, "Param1=value1"),
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
      {"post-header-key-sort", request("POST", host + std::string("/"), {{"My-Header1", "value1"}}),
       "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
  };
}

// The examples in the guides of IAM and S3.
std::vector<Case> guides() {
  const std::string bucket = "https://examplebucket.s3.amazonaws.com";
  const Scope s3{"us-east-1", "s3"};
  const char* day = "20130524T000000Z";
  const Credentials keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  return {
      {"IAM: ListUsers",
       request("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
               {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}}),
       "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
       {"us-east-1", "iam"}},
      {"S3: GET an object", request("GET", bucket + "/test.txt", {{"Range", "bytes=0-9"}}),
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", s3, day, keys},
      {"S3: PUT an object",
       request("PUT", bucket + "/test%24file.text",
               {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
               "Welcome to Amazon S3."),
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd", s3, day, keys},
      {"S3: a query without value", request("GET", bucket + "/?lifecycle"),
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", s3, day, keys},
      {"S3: list", request("GET", bucket + "/?max-keys=2&prefix=J"),
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", s3, day, keys},
  };
}

// What these do not show: what Route 53, STS and S3 are asked.
std::vector<Case> shapes() {
  const Scope route53{"us-east-1", "route53"};
  const Credentials temporary{"ASIAEXAMPLE", "secret/with+signs", "token//with==signs+"};
  const std::string api = "https://route53.amazonaws.com/2013-04-01";
  return {
      {"a query that is not sorted",
       request("GET", api + "/hostedzonesbyname?maxitems=100&dnsname=example.com."), "", route53},
      {"a name twice, values not sorted", request("GET", api + "/x?b=2&a=z&a=B&a=&b=10"), "",
       route53},
      {"a name that begins with another", request("GET", api + "/x?a-b=1&a=2&ab=3"), "", route53},
      {"escapes in a query", request("GET", api + "/x?name=%5c052.example.com.&v=%7E%2f%20%c3%a4"),
       "", route53},
      {"a session token", request("GET", api + "/change/C1"), "", route53, "20260101T000000Z",
       temporary},
      {"a body",
       request("POST", api + "/hostedzone/Z1/rrset/", {{"Content-Type", "text/xml"}},
               "<?xml version=\"1.0\"?><\xC3\xA4/>"),
       "", route53, "20260101T000000Z", temporary},
      {"escapes in a path are escaped once more", request("GET", api + "/a%20b/c%2Fd/%C3%A4"), "",
       route53},
      {"a path that ends with a slash", request("POST", api + "/a//b/./c/"), "", route53},
      {"a port", request("GET", "http://127.0.0.1:8080/x"), "", route53},
      {"the usual port", request("GET", "https://example.com:443/x"), "", route53},
      {"blanks in a header", request("GET", api + "/x", {{"X-A", "  a   b  "}, {"X-B", ""}}), "",
       route53},
      {"S3 keeps its path",
       request("PUT", "https://s3.example/b/a%20b//c%2Bd/../e", {}, "body"),
       "",
       {"auto", "s3"},
       "20260101T000000Z",
       temporary},
      {"S3 with an unsorted query",
       request("GET", "https://s3.example/b?prefix=a%2Fb&list-type=2&delimiter=%2F"),
       "",
       {"eu-west-1", "s3"}},
  };
}

std::string value_of(const std::vector<io::Header>& headers, const std::string& name) {
  return io::find_header(headers, name).value_or("");
}

std::vector<io::Header> signed_headers(const Case& one) {
  return sign(one.request, one.keys, one.scope, *parse_compact_time(one.date));
}

TEST(SigV4, SignsAsPublished) {
  for (const auto& list : {suite(), guides()})
    for (const Case& one : list) {
      if (*one.signature == '\0') continue;
      const std::string authorization = value_of(signed_headers(one), "Authorization");
      EXPECT_EQ(authorization.substr(authorization.find("Signature=") + 10), one.signature)
          << one.name;
    }
}

json as_json(const Case& one) {
  json headers = json::array();
  for (const io::Header& header : one.request.headers)
    headers.push_back({header.name, header.value});
  std::string latin;  // of the body's bytes
  for (const char c : one.request.body) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80U) {
      latin += c;
    } else {
      latin += static_cast<char>(0xC0U | (byte >> 6U));
      latin += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  json keys{one.keys.access_key, one.keys.secret_key};
  if (!one.keys.session_token.empty()) keys.push_back(one.keys.session_token);
  return {{"method", one.request.method},
          {"url", one.request.url},
          {"headers", headers},
          {"body", latin},
          {"keys", keys},
          {"region", one.scope.region},
          {"service", one.scope.service},
          {"date", one.date}};
}

TEST(SigV4, SignsAsBotocoreDoes) {
  std::vector<Case> cases;
  for (const auto& list : {suite(), guides(), shapes()})
    for (const Case& one : list)
      if (!io::find_header(one.request.headers, "Date")) cases.push_back(one);  // its own way there
  json input = json::array();
  for (const Case& one : cases)
    input.push_back(as_json(one));
  const json judged = json::parse(servers::run(
      {"/usr/bin/python3", "-B", STSCTL_SOURCE_DIR "/tests/providers/aws/sigv4_judge.py"},
      input.dump()));
  ASSERT_EQ(judged.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(value_of(signed_headers(cases[i]), "Authorization"), judged[i].get<std::string>())
        << cases[i].name;
}

TEST(SigV4, SendsTheTokenAndForS3TheDigest) {
  const Case route53 = shapes()[5];
  const auto headers = signed_headers(route53);
  EXPECT_EQ(value_of(headers, "X-Amz-Date"), "20260101T000000Z");
  EXPECT_EQ(value_of(headers, "X-Amz-Security-Token"), "token//with==signs+");
  EXPECT_EQ(value_of(headers, "X-Amz-Content-Sha256"), "");
  EXPECT_NE(value_of(headers, "Authorization")
                .find("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"),
            std::string::npos);
  EXPECT_EQ(value_of(signed_headers(guides()[3]), "x-amz-content-sha256"),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(SigV4, CanonicalRequestIsTheOneInTheGuide) {
  const Case one = guides()[4];
  auto headers = signed_headers(one);
  headers.pop_back();
  EXPECT_EQ(
      canonical_request(one.request, headers, one.scope),
      "GET\n/\nmax-keys=2&prefix=J\n"
      "host:examplebucket.s3.amazonaws.com\n"
      "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
      "x-amz-date:20130524T000000Z\n\n"
      "host;x-amz-content-sha256;x-amz-date\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace stsctl::providers::aws
