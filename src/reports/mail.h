#pragma once
// Mails that carry reports (RFC 8460 §5.3), read by GMime.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/name.h"

namespace stsctl::reports {

/// A part of a mail that is or may be a report.
struct Attachment {
  std::string content;    ///< Decoded: gzip or JSON.
  std::string file_name;  ///< As the sender gave it; may be empty.
  bool claimed = false;   ///< Its media type is one of RFC 8460: it must be a report.
};

struct Mail {
  std::optional<dns::Name> from;                    ///< The domain of the one author's address.
  std::vector<std::string> authentication_results;  ///< Values of these headers, top first.
  std::optional<dns::Name> report_domain;           ///< TLS-Report-Domain.
  std::vector<Attachment> attachments;
};

/// Reads one mail. Attachments are the parts with a media type of RFC 8460
/// (application/tlsrpt+gzip, +json, or application/tlsrpt as one sender writes), and those of
/// another one that real senders use (application/gzip, application/json, application/octet-stream,
/// or any part whose file name ends in .json or .gz) as far as their content begins as gzip or a
/// JSON object does. Mails within mails are not opened: nobody vouches for them. Code::invalid when
/// it is no mail.
Result<Mail> read_mail(std::string_view text);

}  // namespace stsctl::reports
