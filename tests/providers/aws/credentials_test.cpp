// Where credentials come from, told by tables; what the services beside AWS answer is scripted.
#include "providers/aws/credentials.h"

#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/parallel.h"
#include "base/text.h"
#include "fakes/fake_http.h"
#include "providers/aws/aws_world.h"
#include "providers/aws/keys.h"
#include "providers/aws/region.h"

namespace stsctl::providers::aws {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

using Variables = std::map<std::string, std::string>;

std::string field(const std::string& form, const std::string& name) {
  for (const std::string_view pair : split(form, '&'))
    if (pair.starts_with(name + "=")) return std::string(pair.substr(name.size() + 1));
  return {};
}

std::string assumed(const std::string& action, const std::string& key,
                    const std::string& expiration = "2027-01-15T09:00:00Z") {
  return fmt::format(
      "<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{0}Result>"
      "<Credentials><AccessKeyId>{1}</AccessKeyId><SecretAccessKey>s3cret-of-{1}</SecretAccessKey>"
      "<SessionToken>t0ken-of-{1}</SessionToken><Expiration>{2}</Expiration></Credentials>"
      "</{0}Result></{0}Response>",
      action, key, expiration);
}

std::string document(const std::string& key, const std::string& expiration = "") {
  return fmt::format(R"({{"Code": "Success", "AccessKeyId": "{}", "SecretAccessKey": "s3cret",)"
                     R"("Token": "t0ken"{}}})",
                     key, expiration.empty() ? "" : ", \"Expiration\": \"" + expiration + "\"");
}

// A token service that gives "ROLE by WHO" for a role, and a machine without metadata.
Result<io::Reply> no_metadata(const io::Request& request) {
  if (request.url.find("sts.") == std::string::npos)
    return fail(Code::timeout, "no connection to 169.254.169.254 within 1 s");
  const std::string action = field(request.body, "Action");
  const std::string arn = field(request.body, "RoleArn");
  const std::string role = arn.substr(arn.rfind("%2F") + 3);
  std::string who = field(request.body, "WebIdentityToken");
  if (const auto authorization = io::find_header(request.headers, "Authorization")) {
    const std::size_t begin = authorization->find("Credential=") + 11;
    who = authorization->substr(begin, authorization->find('/', begin) - begin);
  }
  return io::Reply{200, {}, assumed(action, role + " by " + who)};
}

struct Case {
  const char* name;
  Variables env;
  const char* config;
  const char* credentials;
  Identity identity;
  const char* key;    // whose access key it is; "" for an error
  const char* error;  // what the error says
};

Result<Credentials> find(const Case& one, fakes::FakeHttp& http) {
  AwsWorld world(http);
  world.env.insert(one.env.begin(), one.env.end());
  for (auto& [name, value] : world.env)
    if (value.starts_with("~/")) value = world.folder.file(value.substr(2));
  world.folder.write(".aws/config", one.config);
  world.folder.write(".aws/credentials", one.credentials);
  world.folder.write("token", "jwt.of.github\n");
  CredentialChain chain(world.services(), one.identity);
  return chain.get();
}

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    fakes::FakeHttp http;
    http.always(no_metadata);
    const auto keys = find(one, http);
    if (*one.key != '\0') {
      ASSERT_TRUE(keys) << to_string(keys.error());
      EXPECT_EQ(keys->access_key, one.key);
    } else {
      ASSERT_FALSE(keys) << keys->access_key;
      EXPECT_THAT(to_string(keys.error()), HasSubstr(one.error));
    }
  }
}

const Variables env_keys{{"AWS_ACCESS_KEY_ID", "AKIAENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}};
const char* const stored =
    "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n"
    "[ops]\naws_access_key_id = AKIAOPS\naws_secret_access_key = s\naws_session_token = t\n";

Variables with(Variables left, const Variables& right) {
  left.insert(right.begin(), right.end());
  return left;
}

TEST(Credentials, ComeFromTheFirstSourceThatHasSome) {
  const Variables web{{"AWS_WEB_IDENTITY_TOKEN_FILE", "~/token"},
                      {"AWS_ROLE_ARN", "arn:aws:iam::1:role/deploy"}};
  check({
      {"environment over files", env_keys, "", stored, {}, "AKIAENV", ""},
      {"environment over web identity", with(env_keys, web), "", stored, {}, "AKIAENV", ""},
      {"a profile set by name shuts the environment out",
       env_keys,
       "",
       stored,
       {.profile = "ops"},
       "AKIAOPS",
       ""},
      {"one in the environment does not",
       with(env_keys, {{"AWS_PROFILE", "ops"}}),
       "",
       stored,
       {},
       "AKIAENV",
       ""},
      {"a profile from the environment", {{"AWS_PROFILE", "ops"}}, "", stored, {}, "AKIAOPS", ""},
      {"its older name", {{"AWS_DEFAULT_PROFILE", "ops"}}, "", stored, {}, "AKIAOPS", ""},
      {"web identity over files", web, "", stored, {}, "deploy by jwt.of.github", ""},
      {"a profile set by name shuts web identity out",
       web,
       "",
       stored,
       {.profile = "default"},
       "AKIAFILE",
       ""},
      {"the default profile", {}, "", stored, {}, "AKIAFILE", ""},
      {"credentials file over config file",
       {},
       "[default]\naws_access_key_id = AKIACONF\naws_secret_access_key = s\n",
       stored,
       {},
       "AKIAFILE",
       ""},
      {"config file",
       {},
       "[default]\naws_access_key_id = AKIACONF\naws_secret_access_key = s\n",
       "",
       {},
       "AKIACONF",
       ""},
      {"a program over keys in the config file",
       {},
       "[default]\naws_access_key_id = AKIACONF\naws_secret_access_key = s\n"
       "credential_process = printf '{\"Version\":1,\"AccessKeyId\":\"AKIAPROC\","
       "\"SecretAccessKey\":\"s\"}'\n",
       "",
       {},
       "AKIAPROC",
       ""},
      {"other places for the files",
       {{"AWS_SHARED_CREDENTIALS_FILE", "~/token"}, {"AWS_CONFIG_FILE", "~/.aws/credentials"}},
       "",
       "[default]\naws_access_key_id = AKIAMOVED\naws_secret_access_key = s\n",
       {},
       "",
       "token:1"},
      {"empty variables are not set",
       {{"AWS_ACCESS_KEY_ID", ""}, {"AWS_PROFILE", ""}},
       "",
       stored,
       {},
       "AKIAFILE",
       ""},
  });
}

TEST(Credentials, TakeOnRoles) {
  const char* const roles =
      "[profile a]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = ops\n"
      "[profile b]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = a\n"
      "[profile env]\nrole_arn = arn:aws:iam::1:role/e\ncredential_source = Environment\n"
      "[profile self]\nrole_arn = arn:aws:iam::1:role/s\nsource_profile = self\n"
      "aws_access_key_id = AKIASELF\naws_secret_access_key = s\n"
      "[profile x]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = y\n"
      "[profile y]\nrole_arn = arn:aws:iam::1:role/y\nsource_profile = x\n"
      "[profile web]\nrole_arn = arn:aws:iam::1:role/w\nweb_identity_token_file = ";
  const std::string config = std::string(roles) + "/nowhere/token\n";
  check({
      {"source_profile", {}, roles, stored, {.profile = "a"}, "a by AKIAOPS", ""},
      {"of a role in turn", {}, roles, stored, {.profile = "b"}, "b by a by AKIAOPS", ""},
      {"keys in the environment come first",
       with(env_keys, {{"AWS_PROFILE", "env"}}),
       roles,
       stored,
       {},
       "AKIAENV",
       ""},
      {"a profile that is its own source",
       {},
       roles,
       stored,
       {.profile = "self"},
       "s by AKIASELF",
       ""},
      {"profiles in a circle",
       {},
       roles,
       stored,
       {.profile = "x"},
       "",
       "its source_profile 'x' gives nothing"},
      {"a source that does not exist",
       {},
       "[default]\nrole_arn = r\nsource_profile = op\n",
       stored,
       {},
       "",
       "did you mean 'ops'?"},
      {"both kinds of source",
       {},
       "[default]\nrole_arn = r\nsource_profile = ops\ncredential_source = Environment\n",
       stored,
       {},
       "",
       "needs either source_profile or credential_source"},
      {"a source of no kind known",
       {},
       "[default]\nrole_arn = r\ncredential_source = Moon\n",
       "",
       {},
       "",
       "'Moon' is no credential_source"},
      {"a source that gives nothing",
       {},
       "[default]\nrole_arn = r\ncredential_source = Environment\n",
       "",
       {},
       "",
       "AWS_ACCESS_KEY_ID is not set"},
      {"one-time passwords",
       {},
       "[default]\nrole_arn = r\nsource_profile = ops\nmfa_serial = m\n",
       stored,
       {},
       "",
       "one-time password"},
      {"a missing token", {}, config.c_str(), stored, {.profile = "web"}, "", "/nowhere/token"},
      {"the configuration's role, on top of what was found",
       env_keys,
       "",
       "",
       {.role_arn = "arn:aws:iam::2:role/dns"},
       "dns by AKIAENV",
       ""},
  });
}

TEST(Credentials, CredentialSourceReadsTheEnvironment) {
  fakes::FakeHttp http;
  http.always(no_metadata);
  AwsWorld world(http);
  world.env.insert(env_keys.begin(), env_keys.end());
  world.folder.write(".aws/config",
                     "[profile env]\nrole_arn = arn:aws:iam::1:role/e\n"
                     "credential_source = Environment\n");
  CredentialChain chain(world.services(), {.profile = "env"});
  const auto keys = chain.get();
  ASSERT_TRUE(keys) << to_string(keys.error());
  EXPECT_EQ(keys->access_key, "e by AKIAENV");
}

TEST(Credentials, SayOfEachSourceWhyItHasNone) {
  fakes::FakeHttp http;
  http.always(no_metadata);
  const Case nothing{"", {}, "[default]\nregion = eu-west-1\n", "", {}, "", ""};
  const auto keys = find(nothing, http);
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code, Code::unauthorized);
  for (const char* said :
       {"environment: AWS_ACCESS_KEY_ID is not set", "role of profile 'default': no role_arn",
        "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set",
        "profile 'default': it holds no keys and no credential_process",
        "container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor",
        "instance: no connection to 169.254.169.254 within 1 s"})
    EXPECT_THAT(keys.error().what, HasSubstr(said));
  EXPECT_THAT(keys.error().hint, HasSubstr("AWS_ACCESS_KEY_ID"));
  ASSERT_THAT(http.requests(), SizeIs(1)) << "the metadata service is asked once";
  EXPECT_EQ(http.requests()[0].timeout, std::chrono::seconds(1));
}

TEST(Credentials, StopAtASourceThatIsConfiguredAndFails) {
  check({
      {"half of the keys",
       {{"AWS_ACCESS_KEY_ID", "AKIA"}},
       "",
       stored,
       {},
       "",
       "environment: only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set"},
      {"half of the keys in a file",
       {},
       "",
       "[default]\naws_secret_access_key = s\n",
       {},
       "",
       "only one of aws_access_key_id and aws_secret_access_key stands in the credentials file"},
      {"a profile that does not exist",
       {},
       "",
       stored,
       {.profile = "opps"},
       "",
       "hint: did you mean 'ops'?"},
      {"one from the environment",
       {{"AWS_PROFILE", "nobody"}},
       "",
       stored,
       {},
       "",
       "there is no profile 'nobody'"},
      {"a token without a role",
       {{"AWS_WEB_IDENTITY_TOKEN_FILE", "~/token"}},
       "",
       stored,
       {},
       "",
       "AWS_ROLE_ARN is not"},
      {"a program that fails",
       {},
       "[default]\ncredential_process = sh -c 'echo not signed in >&2; exit 3'\n",
       "",
       {},
       "",
       "exits with 3: not signed in"},
      {"a program that does not exist",
       {},
       "[default]\ncredential_process = /nowhere/get-keys\n",
       "",
       {},
       "",
       "its credential_process: cannot start"},
      {"a program that prints something else",
       {},
       "[default]\ncredential_process = echo AKIA secret\n",
       "",
       {},
       "",
       "its credential_process: the answer is no JSON object"},
      {"an open quote",
       {},
       "[default]\ncredential_process = sh -c 'x\n",
       "",
       {},
       "",
       "a quote stays open"},
      {"IAM Identity Center",
       {},
       "[default]\nsso_session = corp\n",
       "",
       {},
       "",
       "credential_process = aws configure export-credentials"},
      {"a file that cannot be read", {}, "[default\n", "", {}, "", "config:1"},
      {"a token that may not be sent there",
       {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.1.2.3/keys"}},
       "",
       "",
       {},
       "",
       "AWS_CONTAINER_CREDENTIALS_FULL_URI names an address"},
  });
}

TEST(Credentials, WhatTheTokenServiceRefusesIsTold) {
  fakes::FakeHttp http;
  http.then(403,
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
            "<Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform "
            "sts:AssumeRoleWithWebIdentity</Message></Error><RequestId>1</RequestId>"
            "</ErrorResponse>");
  const Case web{
      "",
      {{"AWS_WEB_IDENTITY_TOKEN_FILE", "~/token"}, {"AWS_ROLE_ARN", "arn:aws:iam::1:role/deploy"}},
      "",
      stored,
      {},
      "",
      ""};
  const auto keys = find(web, http);
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code, Code::unauthorized);
  EXPECT_THAT(keys.error().what,
              HasSubstr("web identity: AccessDenied: Not authorized to perform sts:Assume"));
  EXPECT_THAT(keys.error().what, HasSubstr("before that, environment: AWS_ACCESS_KEY_ID"));
  EXPECT_THAT(keys.error().hint, HasSubstr("trust policy"));
  EXPECT_EQ(keys.error().where, "sts AssumeRoleWithWebIdentity");
}

TEST(Credentials, RolesAreAskedForAsTheyAreConfigured) {
  fakes::FakeHttp http;
  http.always(no_metadata);
  const Case role{"",
                  {},
                  "[default]\nrole_arn = arn:aws-cn:iam::1:role/r\nsource_profile = ops\n"
                  "role_session_name = nightly\nexternal_id = a/b\nduration_seconds = 900\n"
                  "region = cn-north-1\n",
                  stored,
                  {},
                  "",
                  ""};
  ASSERT_TRUE(find(role, http));
  const io::Request request = http.requests().at(0);
  EXPECT_EQ(request.url, "https://sts.cn-north-1.amazonaws.com.cn/");
  EXPECT_EQ(request.body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws-cn%3Aiam%3A%3A1%3Arole%2Fr"
            "&RoleSessionName=nightly&ExternalId=a%2Fb&DurationSeconds=900");
  EXPECT_EQ(io::find_header(request.headers, "X-Amz-Security-Token"), "t");
  EXPECT_THAT(io::find_header(request.headers, "Authorization").value_or(""),
              HasSubstr("/cn-north-1/sts/aws4_request"));
}

TEST(Credentials, ComeFromAContainer) {
  struct Row {
    Variables env;
    const char* url;
    const char* authorization;
  };
  for (const Row& row : std::vector<Row>{
           {{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1"}},
            "http://169.254.170.2/v2/credentials/1",
            ""},
           {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"},
             {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "direct"},
             {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "~/token"}},
            "http://169.254.170.23/v1/credentials",
            "jwt.of.github"},
           {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::23]/v1/credentials"}},
            "http://[fd00:ec2::23]/v1/credentials",
            ""},
           {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://keys.example/x"},
             {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "direct"}},
            "https://keys.example/x",
            "direct"},
           {{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:80/x"}},
            "http://127.0.0.1:80/x",
            ""}}) {
    fakes::FakeHttp http;
    http.then(200, document("ASIACONT", "2027-01-15T09:00:00Z"));
    const auto keys = find({"", row.env, "", "", {}, "", ""}, http);
    ASSERT_TRUE(keys) << to_string(keys.error());
    EXPECT_EQ(keys->access_key, "ASIACONT");
    EXPECT_EQ(keys->session_token, "t0ken");
    EXPECT_TRUE(keys->expires);
    EXPECT_EQ(http.requests().at(0).url, row.url);
    EXPECT_EQ(io::find_header(http.requests()[0].headers, "Authorization").value_or(""),
              row.authorization);
  }
}

TEST(Credentials, AContainerThatRefusesIsTold) {
  fakes::FakeHttp http;
  http.then(403, "{}");
  const auto keys =
      find({"", {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"}}, "", "", {}, "", ""}, http);
  ASSERT_FALSE(keys);
  EXPECT_THAT(keys.error().what,
              HasSubstr("container: the container's credential service answers 403"));
}

TEST(Credentials, ComeFromAnInstanceWithAToken) {
  fakes::FakeHttp http;
  http.then(200, "imds-t0ken");
  http.then(200, "web-role\n");
  http.then(200, document("ASIAINST", "2027-01-15T09:00:00Z"));
  const auto keys = find({"", {}, "", "", {}, "", ""}, http);
  ASSERT_TRUE(keys) << to_string(keys.error());
  EXPECT_EQ(keys->access_key, "ASIAINST");
  const auto requests = http.requests();
  EXPECT_EQ(requests[0].method, "PUT");
  EXPECT_EQ(requests[0].url, "http://169.254.169.254/latest/api/token");
  EXPECT_TRUE(requests[0].link_local);
  EXPECT_EQ(io::find_header(requests[0].headers, "X-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(requests[2].url,
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/web-role");
  EXPECT_EQ(io::find_header(requests[2].headers, "X-aws-ec2-metadata-token"), "imds-t0ken");
}

TEST(Credentials, AnInstanceWithoutARoleHasNone) {
  struct Row {
    std::vector<io::Reply> replies;
    Variables env;
    const char* said;
  };
  for (const Row& row : std::vector<Row>{
           {{{403, {}, ""}}, {}, "instance: the metadata service answers 403"},
           {{{200, {}, "t"}, {404, {}, ""}}, {}, "instance: the instance has no role"},
           {{{200, {}, "t"}, {200, {}, "\n"}}, {}, "instance: the instance has no role"},
           {{{200, {}, "t"}, {200, {}, "r"}, {200, {}, R"({"Code":"Failed"})"}},
            {},
            "instance: the answer's Code is not Success"},
           {{}, {{"AWS_EC2_METADATA_DISABLED", "True"}}, "AWS_EC2_METADATA_DISABLED is true"}}) {
    fakes::FakeHttp http;
    for (const io::Reply& reply : row.replies)
      http.then(reply);
    const auto keys = find({"", row.env, "", "", {}, "", ""}, http);
    ASSERT_FALSE(keys);
    EXPECT_THAT(keys.error().what, HasSubstr(row.said));
    EXPECT_EQ(http.left(), 0U);
  }
}

// One that hands out a new key each time, good for an hour.
class Renewing : public testing::Test {
 protected:
  Renewing() {
    world.env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
    http.always([this](const io::Request&) -> Result<io::Reply> {
      ++asked;
      if (broken) return fail(Code::unreachable, "gone");
      return io::Reply{
          200,
          {},
          document(fmt::format("ASIA{}", asked.load()), format_time(world.clock.now() + lifetime))};
    });
  }
  std::string key() {
    const auto keys = chain.get();
    return keys ? keys->access_key : to_string(keys.error().code);
  }

  Duration lifetime{3600};
  std::atomic<int> asked{0};
  std::atomic<bool> broken{false};
  fakes::FakeHttp http;
  AwsWorld world{http};
  CredentialChain chain{world.services(), {}};
};

TEST_F(Renewing, AsksAnewFifteenMinutesBeforeTheEnd) {
  EXPECT_EQ(key(), "ASIA1");
  world.clock.advance(std::chrono::minutes(44));
  EXPECT_EQ(key(), "ASIA1");
  world.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(key(), "ASIA2");
  EXPECT_EQ(asked, 2);
}

TEST_F(Renewing, GoesOnWithWhatItHasWhileTheSourceIsGone) {
  EXPECT_EQ(key(), "ASIA1");
  broken = true;
  world.clock.advance(std::chrono::minutes(50));
  const int before = asked;
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(key(), "ASIA1");
  EXPECT_EQ(asked, before + 1) << "asked once a minute";
  world.clock.advance(std::chrono::minutes(11));
  EXPECT_EQ(key(), "unreachable");
  const int failed = asked;
  EXPECT_EQ(key(), "unreachable");
  EXPECT_EQ(asked, failed) << "a failure holds for a while";
  broken = false;
  world.clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(key().substr(0, 4), "ASIA");
}

TEST_F(Renewing, KeysThatEndSoonAreNotAskedForAllTheTime) {
  lifetime = std::chrono::minutes(10);
  EXPECT_EQ(key(), "ASIA1");
  EXPECT_EQ(key(), "ASIA1");
  world.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(key(), "ASIA2");
}

TEST_F(Renewing, ServesManyThreadsWithOneQuestion) {
  const std::vector<int> threads(64);
  const auto keys = parallel_map(threads, 16, {}, [&](int) { return key(); });
  for (const auto& one : keys)
    EXPECT_EQ(*one, "ASIA1");
  EXPECT_EQ(asked, 1);
}

TEST_F(Renewing, GivesOthersForThoseThatWereRefused) {
  const Credentials first = *chain.get();
  world.clock.advance(std::chrono::seconds(20));
  const auto second = chain.get_instead_of(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->access_key, "ASIA2");
  EXPECT_EQ(chain.get_instead_of(first)->access_key, "ASIA2") << "others were refused the same";
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(chain.get_instead_of(*second)) << "just got: asking again gives no better ones";
}

TEST(Credentials, AreHiddenInTheLog) {
  fakes::FakeHttp http;
  http.then(200, document("ASIACONT"));
  AwsWorld world(http);
  world.env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
  world.env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "bearer-0123";
  CredentialChain chain(world.services(), {});
  ASSERT_TRUE(chain.get());
  EXPECT_EQ(world.log.mask("s3cret t0ken"), "*** ***");
  EXPECT_THAT(world.logged(), HasSubstr("169.254.170.2"));
  for (const char* secret : {"s3cret", "t0ken", "bearer-0123"})
    EXPECT_THAT(world.logged(), Not(HasSubstr(secret)));
}

// Of the keys that ask, too: a service that refuses a signature repeats what it was sent.
TEST(Credentials, OfTheAskerAreHiddenInTheLog) {
  fakes::FakeHttp http;
  http.then(403,
            "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>should have been "
            "x-amz-security-token:t0ken-0123</Message></Error></ErrorResponse>");
  AwsWorld world(http);
  world.env["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  world.env["AWS_SECRET_ACCESS_KEY"] = "s3cret-0123";
  world.env["AWS_SESSION_TOKEN"] = "t0ken-0123";
  CredentialChain chain(world.services(), {.role_arn = "arn:aws:iam::1:role/deploy"});
  ASSERT_FALSE(chain.get());
  EXPECT_THAT(world.logged(), HasSubstr("should have been"));
  EXPECT_THAT(world.logged(), Not(HasSubstr("t0ken-0123")));
  EXPECT_EQ(world.log.mask("s3cret-0123"), "***");
}

TEST(Credentials, KeyDocumentsAreReadOrRefused) {
  const auto keys = parse_key_document(
      R"({"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T",)"
      R"("Expiration":"2026-11-24T08:15:00.123Z"})");
  ASSERT_TRUE(keys);
  EXPECT_EQ(*keys, (Credentials{"A", "S", "T", *parse_time("2026-11-24T08:15:00Z")}));
  for (const char* bad :
       {"", "[]", "s3cret", R"({"Version":2,"AccessKeyId":"A","SecretAccessKey":"s3cret"})",
        R"({"AccessKeyId":"A"})", R"({"AccessKeyId":1,"SecretAccessKey":"s3cret"})",
        R"({"AccessKeyId":"A","SecretAccessKey":"s3cret","Expiration":"tomorrow s3cret"})",
        R"({"Code":"Failed","AccessKeyId":"A","SecretAccessKey":"s3cret"})"}) {
    const auto none = parse_key_document(bad);
    ASSERT_FALSE(none) << bad;
    EXPECT_EQ(none.error().code, Code::protocol);
    EXPECT_THAT(to_string(none.error()), Not(HasSubstr("s3cret")));
  }
  for (const char* bad : {"", "<a/>", "no xml", "<R><S><Credentials/></S></R>"})
    EXPECT_FALSE(parse_assumed_role(bad)) << bad;
}

TEST(Credentials, ExpirationIsUtc) {
  const Time time = *parse_time("2026-11-24T08:15:00Z");
  for (const char* good : {"2026-11-24T08:15:00Z", "2026-11-24T08:15:00.000Z",
                           "2026-11-24T08:15:00+00:00", "2026-11-24T08:15:00.9+00:00"})
    EXPECT_EQ(parse_expiration(good).value_or(Time{}), time) << good;
  for (const char* bad : {"", "2026-11-24", "2026-11-24T08:15:00", "2026-11-24T08:15:00+01:00",
                          "2026-11-24T08:15:00Zx", "1700000000"})
    EXPECT_FALSE(parse_expiration(bad)) << bad;
}

TEST(AwsRegion, TellsThePartition) {
  struct Row {
    const char* region;
    const char* route53;
    const char* signing;
    const char* sts;
  };
  for (const Row& row : std::vector<Row>{
           {"", "https://route53.amazonaws.com", "us-east-1", "https://sts..amazonaws.com"},
           {"eu-central-1", "https://route53.amazonaws.com", "us-east-1",
            "https://sts.eu-central-1.amazonaws.com"},
           {"cn-north-1", "https://route53.amazonaws.com.cn", "cn-northwest-1",
            "https://sts.cn-north-1.amazonaws.com.cn"},
           {"us-gov-east-1", "https://route53.us-gov.amazonaws.com", "us-gov-west-1",
            "https://sts.us-gov-east-1.amazonaws.com"},
           {"eusc-de-east-1", "https://route53.amazonaws.eu", "eusc-de-east-1",
            "https://sts.eusc-de-east-1.amazonaws.eu"},
           {"us-isob-east-1", "https://route53.sc2s.sgov.gov", "us-isob-east-1",
            "https://sts.us-isob-east-1.sc2s.sgov.gov"}}) {
    EXPECT_EQ(partition_of(row.region).route53, row.route53) << row.region;
    EXPECT_EQ(partition_of(row.region).route53_region, row.signing) << row.region;
    if (*row.region != '\0') EXPECT_EQ(sts_endpoint(row.region), row.sts);
  }
}

TEST(AwsRegion, SignsForAnUnknownOneWhereAnEndpointIsNamedForIt) {
  struct Row {
    const char* region;
    const char* usual;
    const char* at_own_endpoint;
  };
  for (const Row& row : std::vector<Row>{{"", "us-east-1", "us-east-1"},
                                         {"eu-central-1", "us-east-1", "us-east-1"},
                                         {"aws-global", "us-east-1", "us-east-1"},
                                         {"us-gov-east-1", "us-gov-west-1", "us-gov-west-1"},
                                         {"cn-north-1", "cn-northwest-1", "cn-northwest-1"},
                                         {"lab-home-1", "us-east-1", "lab-home-1"}}) {
    EXPECT_EQ(route53_signing_region(row.region, false), row.usual) << row.region;
    EXPECT_EQ(route53_signing_region(row.region, true), row.at_own_endpoint) << row.region;
  }
}

TEST(AwsRegion, TellsTheCloudFront) {
  EXPECT_EQ(partition_of("eu-central-1").cloudfront, "https://cloudfront.amazonaws.com");
  EXPECT_EQ(partition_of("eu-central-1").cloudfront_region, "us-east-1");
  EXPECT_EQ(partition_of("cn-north-1").cloudfront,
            "https://cloudfront.cn-northwest-1.amazonaws.com.cn");
  EXPECT_EQ(partition_of("cn-north-1").cloudfront_region, "cn-northwest-1");
  EXPECT_EQ(partition_of("us-gov-west-1").cloudfront, "");
}

TEST(AwsRegion, IsSaidInManyPlaces) {
  fakes::FakeHttp http;
  AwsWorld world(http);
  world.folder.write(".aws/config", "[profile ops]\nregion = from-profile\n");
  EXPECT_EQ(find_region({}, world.services()), "");
  world.env["AWS_PROFILE"] = "ops";
  EXPECT_EQ(find_region({}, world.services()), "from-profile");
  world.env["AWS_DEFAULT_REGION"] = "from-default";
  EXPECT_EQ(find_region({}, world.services()), "from-default");
  world.env["AWS_REGION"] = "from-env";
  EXPECT_EQ(find_region({}, world.services()), "from-env");
  EXPECT_EQ(find_region({.region = "stated"}, world.services()), "stated");
}

}  // namespace
}  // namespace stsctl::providers::aws
