// What pace and retries make of each other.

#include "io/http_account.h"

#include <gtest/gtest.h>

#include "servers/real_services.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_http.h"

namespace stsctl::io {
namespace {

using std::chrono::seconds;

class AccountHttpTest : public testing::Test {
 protected:
  std::unique_ptr<Http> open(std::vector<Rate> rates) {
    const Services real = real_.services();
    return account_http({.files = real.files,
                         .process = real.process,
                         .clock = clock,
                         .dns = real.dns,
                         .http = http,
                         .log = real.log},
                        {.rates = std::move(rates)});
  }

  fakes::FakeHttp http;
  fakes::FakeClock clock;

 private:
  servers::RealServices real_;
};

// Cloudflare's window is five minutes: who waited that long for a turn has not tried anything yet.
TEST_F(AccountHttpTest, TimeSpentInTheQueueIsNotTakenFromTheTries) {
  http.then(200);
  http.then(503);
  http.then(200, "there");
  const auto account = open({{1, seconds(300)}});
  ASSERT_TRUE(account->send(get("https://api.example/")));
  const auto reply = account->send(get("https://api.example/"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "there") << reply->status;
  EXPECT_GE(clock.passed(), seconds(600));
}

// The one that is turned away waits as long as all others do.
TEST_F(AccountHttpTest, APauseThatIsGrantedIsWaitedOutByTheRequestThatWasToldOfIt) {
  for (const char* pause : {"300", "599"}) {
    http.then(429, "", {{"Retry-After", pause}});
    http.then(200, "there");
    const auto begin = clock.passed();
    const auto reply = open({})->send({.method = "POST", .url = "https://api.example/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, "there") << reply->status;
    EXPECT_GE(clock.passed() - begin, seconds(std::stoi(pause)));
  }
  http.then(429, "", {{"Retry-After", "3600"}});
  const auto reply = open({})->send(get("https://api.example/"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 429) << "longer than anybody waits";
}

}  // namespace
}  // namespace stsctl::io
