#pragma once
// DNS queries out, answers in, as bytes (RFC 1035). Pure; knows no connection. libldns does the
// wire format.

#include <cstdint>
#include <span>

#include "base/result.h"
#include "io/resolver.h"

namespace stsctl::io {

/// What a query asks for besides its question.
struct QueryOptions {
  std::uint16_t id = 0;
  bool recursion = true;
};
/// A query with EDNS (RFC 6891: 1,232 bytes over UDP) that asks for DNSSEC's verdict.
DnsMessage make_query(const dns::Name& name, Question question, const QueryOptions& options);

/// An answer to one query.
struct ReadAnswer {
  bool truncated = false;  ///< Ask again over TCP; `answer` is not filled.
  DnsAnswer answer;
};
/// Reads the answer to a query with that id, name and type. Code::protocol: no answer to it, or
/// malformed, or CNAMEs in a circle; Code::unreachable: the server says SERVFAIL, REFUSED or
/// another failure, which `what` names.
Result<ReadAnswer> read_answer(std::span<const std::uint8_t> message, const dns::Name& name,
                               Question question, std::uint16_t id);

}  // namespace stsctl::io
