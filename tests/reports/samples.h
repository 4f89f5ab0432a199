#pragma once
// Reports of the shapes that real senders send, made up here.

#include <string>

#include "base/text.h"
#include "base/time.h"

namespace stsctl::reports {

/// A moment after all of them.
inline const Time sample_now = *parse_time("2026-11-25T12:00:00Z");

/// One day, one sts entry, all well; Google's form.
inline const std::string google_report = R"({
  "organization-name": "Google Inc.",
  "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
  "contact-info": "smtp-tls-reporting@google.com",
  "report-id": "2026-11-20T00:00:00Z_example.com",
  "policies": [{
    "policy": {
      "policy-type": "sts",
      "policy-string": ["version: STSv1", "mode: testing", "mx: mail.example.com",
                        "mx: *.backup.example.com", "max_age: 86400"],
      "policy-domain": "example.com",
      "mx-host": ["mail.example.com", "*.backup.example.com"]
    },
    "summary": {"total-successful-session-count": 53, "total-failure-session-count": 2},
    "failure-details": [{
      "result-type": "certificate-expired",
      "sending-mta-ip": "192.0.2.9",
      "receiving-mx-hostname": "MX2.backup.example.com.",
      "receiving-ip": "198.51.100.7",
      "failed-session-count": 2
    }]
  }]
})";

/// One session in an sts and a tlsa entry, no zone in the times; Microsoft's form.
inline const std::string microsoft_report =
    R"({"organization-name":"Microsoft Corporation","date-range":{"start-datetime":"2026-11-20T00:00:00","end-datetime":"2026-11-20T23:59:59"},"contact-info":"tlsrpt-noreply@microsoft.com","report-id":"134082345678901234+example.com","policies":[{"policy":{"policy-type":"sts","policy-string":["version: STSv1","mode: testing","mx: *.backup.example.com","mx: mail.example.com","max_age: 86400"],"policy-domain":"example.com"},"summary":{"total-successful-session-count":7,"total-failure-session-count":1},"failure-details":[{"result-type":"sts-policy-fetch-error","failed-session-count":1}]},{"policy":{"policy-type":"tlsa","policy-string":["[\"3 1 1 00\"]"],"policy-domain":"example.com"},"summary":{"total-successful-session-count":8,"total-failure-session-count":0}}]})";

/// `report` with the first `from` replaced by `to`; `from` must be there.
inline std::string with(std::string report, const std::string& from, const std::string& to) {
  return report.replace(report.find(from), from.size(), to);
}

}  // namespace stsctl::reports
