#include "serve/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MetricsText, ShowsEveryListenerAndStatus) {
  Counters http;
  http.count(200);
  http.count(200);
  http.count(404);
  http.open = 3;
  http.accepted = 5;
  Counters https;
  https.count(431);
  https.handshakes_failed = 7;
  const std::string text = metrics_text(
      {{"http://127.0.0.1:8080", &http}, {"https://[::]:443", &https}}, {.policies = 12});
  for (const char* sample : {
           "\nstsctl_requests_total{listener=\"http://127.0.0.1:8080\",status=\"200\"} 2\n",
           "\nstsctl_requests_total{listener=\"http://127.0.0.1:8080\",status=\"404\"} 1\n",
           "\nstsctl_requests_total{listener=\"https://[::]:443\",status=\"431\"} 1\n",
           "\nstsctl_connections{listener=\"http://127.0.0.1:8080\"} 3\n",
           "\nstsctl_connections_total{listener=\"http://127.0.0.1:8080\"} 5\n",
           "\nstsctl_tls_handshakes_failed_total{listener=\"https://[::]:443\"} 7\n",
           "\nstsctl_policies 12\n",
           "\n# TYPE stsctl_requests_total counter\n",
       })
    EXPECT_THAT(text, HasSubstr(sample));
  EXPECT_THAT(text, Not(HasSubstr("status=\"500\"")));
}

TEST(MetricsText, ShowsReloadsAndCertificates) {
  Gauges gauges{.loaded = Time{Duration{1795507200}},
                .last_reload_failed = true,
                .reloads = 2,
                .failed_reloads = 1,
                .version = "1.2.3"};
  gauges.certificate_expiry["mta-sts.example.com"] = Time{Duration{1800000000}};
  gauges.certificate_expiry["odd\"na\\me\n"] = Time{Duration{1}};
  const std::string text = metrics_text({}, gauges);
  for (const char* sample : {
           "\nstsctl_configuration_reloads_total{result=\"ok\"} 2\n",
           "\nstsctl_configuration_reloads_total{result=\"failed\"} 1\n",
           "\nstsctl_configuration_last_reload_successful 0\n",
           "\nstsctl_configuration_loaded_timestamp_seconds 1795507200\n",
           "\nstsctl_certificate_expiry_timestamp_seconds{name=\"mta-sts.example.com\"} "
           "1800000000\n",
           "{name=\"odd\\\"na\\\\me\\n\"} 1\n",
           "\nstsctl_build_info{version=\"1.2.3\"} 1\n",
       })
    EXPECT_THAT(text, HasSubstr(sample));
}

TEST(Counters, CountsOnlyStatuses) {
  Counters counters;
  for (const int status : {99, 100, 599, 600, -1})
    counters.count(status);
  EXPECT_EQ(counters.requests(), (std::map<int, std::uint64_t>{{100, 1}, {599, 1}}));
}

}  // namespace
}  // namespace stsctl::serve
