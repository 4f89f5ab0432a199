// How ssh is called, and what ssh's complaints mean, by tables.

#include "providers/sftp/login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::providers::sftp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Arguments, OfTheSmallestLogin) {
  EXPECT_THAT(
      arguments({.host = "web"}),
      ElementsAre("ssh", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oLogLevel=ERROR",
                  "-oConnectTimeout=30", "-oClearAllForwardings=yes", "-oControlMaster=no",
                  "-oForwardAgent=no", "-oForwardX11=no", "-oPermitLocalCommand=no",
                  "-oRemoteCommand=none", "-oRequestTTY=no", "-s", "--", "web", "sftp"));
}

TEST(Arguments, OfAFullLogin) {
  const Login login{.host = "2001:db8::1",
                    .port = 2222,
                    .user = "sts",
                    .identity = R"(/home/a b/"key"%h)",
                    .known_hosts = R"(/etc/back\slash)",
                    .ssh_config = "/etc/my config",
                    .timeout = Duration{7}};
  EXPECT_THAT(
      arguments(login),
      ElementsAre("ssh", "-F", "/etc/my config", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes",
                  "-oLogLevel=ERROR", "-oConnectTimeout=7", "-oPort=2222", "-oUser=sts",
                  R"(-oIdentityFile="/home/a b/\"key\"%%h")", "-oIdentitiesOnly=yes",
                  R"(-oUserKnownHostsFile="/etc/back\\slash")", "-oGlobalKnownHostsFile=/dev/null",
                  "-oClearAllForwardings=yes", "-oControlMaster=no", "-oForwardAgent=no",
                  "-oForwardX11=no", "-oPermitLocalCommand=no", "-oRemoteCommand=none",
                  "-oRequestTTY=no", "-s", "--", "2001:db8::1", "sftp"));
}

Result<Login> read(const std::string& name, const std::string& value) {
  Settings settings;
  settings.set("host", std::string("web.example"), "stsctl.yaml:4:9");
  settings.set(name, value, "stsctl.yaml:5:9");
  return read_login(settings);
}

TEST(ReadLogin, TakesNamesAddressesAndAliases) {
  for (const char* const host : {"web", "web.example.net", "192.0.2.1", "2001:db8::1", "my_web-1"})
    EXPECT_TRUE(read("host", host)) << host;
  EXPECT_EQ(read("user", "sts-web.1")->user, "sts-web.1");
  EXPECT_EQ(read("identity", "/k/a b")->identity, "/k/a b");
}

TEST(ReadLogin, RefusesWhatSshWouldTakeApart) {
  const std::vector<std::pair<std::string, std::string>> bad{
      {"host", ""},
      {"host", "-oProxyCommand=touch x"},
      {"host", "user@web"},
      {"host", "web:/path /x"},
      {"host", "[::1]"},
      {"host", "web\n"},
      {"user", "-l"},
      {"user", "a b"},
      {"user", "$(id)"},
      {"user", "a;b"},
      {"identity", "/k/${HOME}"},
      {"known_hosts", "/k/a\nb"},
      {"ssh_config", "/${X}"},
  };
  for (const auto& [name, value] : bad) {
    const auto refused = read(name, value);
    ASSERT_FALSE(refused) << name << ' ' << value;
    EXPECT_EQ(refused.error().code, Code::invalid);
    EXPECT_EQ(refused.error().where, "stsctl.yaml:5:9");
  }
}

struct Complaint {
  const char* said;
  Code code;
  const char* what;
};

TEST(LoginProblem, OfEveryComplaintSeen) {
  const std::vector<Complaint> complaints{
      {"No ED25519 host key is known for [127.0.0.1]:18022 and you have requested strict "
       "checking.\r\n"
       "Host key verification failed.\r\n",
       Code::unauthorized, "host key is not known"},
      {"@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@@\r\nHost key "
       "for "
       "[127.0.0.1]:1 has changed and you have requested strict checking.\r\nHost key verification "
       "failed.\r\n",
       Code::unauthorized, "another host key"},
      {"nobody@127.0.0.1: Permission denied (publickey).\r\n", Code::unauthorized,
       "accepts none of the keys"},
      {"@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\r\nLoad key \"/k\": bad "
       "permissions\r\nnobody@h: Permission denied (publickey).\r\n",
       Code::unauthorized, "others may read it"},
      {"ssh: Could not resolve hostname nowhere.invalid: Name or service not known\r\nConnection "
       "closed\r\n",
       Code::unreachable, "no address"},
      {"ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n", Code::unreachable,
       "refuses the connection"},
      {"ssh: connect to host 192.0.2.1 port 22: Connection timed out\r\n", Code::timeout,
       "in time"},
      {"Connection timed out during banner exchange\r\nConnection to 127.0.0.1 port 1 timed out\r\n"
       "Connection closed\r\n",
       Code::timeout, "in time"},
      {"subsystem request failed on channel 0\r\n", Code::unsupported, "offers no SFTP"},
      {"kex_exchange_identification: Connection closed by remote host\r\n", Code::unreachable,
       "closed the connection"},
      {"Connection to 127.0.0.1 closed by remote host.\r\n", Code::unreachable,
       "closed the connection"},
      {"something \x1b[2J new\r\n", Code::unreachable, "something \\x1B[2J new"},
      {"", Code::unreachable, "no session"},
  };
  for (const Complaint& complaint : complaints) {
    const Error error = login_problem(complaint.said, {.host = "web"});
    EXPECT_EQ(error.code, complaint.code) << complaint.said;
    EXPECT_THAT(error.what, HasSubstr(complaint.what));
    EXPECT_EQ(error.where, "sftp web");
  }
}

}  // namespace
}  // namespace stsctl::providers::sftp
