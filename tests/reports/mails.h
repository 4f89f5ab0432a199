#pragma once
// Mails of the shapes that real senders send, made up here.

#include <string>

#include "base/digest.h"
#include "reports/gzip.h"

namespace stsctl::reports {

/// Base64 in lines of 76 characters, as mail wants it.
inline std::string base64_lines(const std::string& bytes) {
  const std::string text = base64(bytes);
  std::string lines;
  for (std::size_t i = 0; i < text.size(); i += 76)
    lines += text.substr(i, 76) + "\r\n";
  return lines;
}

/// What differs between senders' mails.
struct MailShape {
  std::string headers =
      "From: <noreply-smtp-tls-reporting@google.com>\r\n"
      "TLS-Report-Domain: example.com\r\nTLS-Report-Submitter: google.com\r\n";
  std::string media_type = "application/tlsrpt+gzip";
  std::string file_name = "google.com!example.com!1763596800!1763683199!001.json.gz";
  bool zipped = true;
};

/// A mail with `report` as its second part (RFC 8460 §5.3).
inline std::string mail_of(const std::string& report, const MailShape& shape = {}) {
  const std::string name = shape.file_name.empty() ? "" : "; filename=\"" + shape.file_name + "\"";
  return shape.headers +
         "Subject: Report Domain: example.com Submitter: google.com Report-ID: <1@google.com>\r\n"
         "MIME-Version: 1.0\r\n"
         "Content-Type: multipart/report; boundary=\"b1\"; report-type=tlsrpt\r\n\r\n"
         "--b1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nA TLS report.\r\n\r\n"
         "--b1\r\nContent-Type: " +
         shape.media_type + "\r\nContent-Disposition: attachment" + name +
         "\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         base64_lines(shape.zipped ? gzip(report) : report) + "--b1--\r\n";
}

/// An ordinary mail.
inline const std::string plain_mail =
    "From: a@example.net\r\nSubject: hello\r\n\r\nNothing but text.\r\n";

}  // namespace stsctl::reports
