#pragma once
// The TXT records of MTA-STS (RFC 8461 §3.1) and TLS-RPT (RFC 8460 §3) as values.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sts/finding.h"

namespace stsctl::sts {

/// The TXT record at _mta-sts.DOMAIN (RFC 8461 §3.1).
struct StsRecord {
  std::string id;  ///< 1 to 32 letters and digits.
  bool operator==(const StsRecord&) const = default;
};

/// The TXT record at _smtp._tls.DOMAIN (RFC 8460 §3).
struct TlsRptRecord {
  /// URIs, at least one, in order, those of several rua fields together. Senders report to mailto:
  /// and https: only; parsing warns of others.
  std::vector<std::string> rua;
  bool operator==(const TlsRptRecord&) const = default;
};

/// Is `txt` one of the records that count (RFC 8461 §3.1: begins "v=STSv1;")? `v=STSv1 ;`, which
/// the ABNF allows but this prefix rule does not, counts too: senders differ (erratum 6285).
bool is_sts_record(std::string_view txt);
/// Does `txt` begin with "v=TLSRPTv1;" (RFC 8460 §3), blanks before the semicolon tolerated?
bool is_tlsrpt_record(std::string_view txt);

/// Reads one record; tolerant as RFC 8461 §3.1 and §3.2 (unknown and repeated fields). Errors say
/// which rule is broken; warnings name the senders that reject what the RFC allows.
Checked<StsRecord> parse_sts_record(std::string_view txt);
/// Reads all TXT values at _mta-sts.DOMAIN as a sender does: those that are not STS records are
/// left out, and unless exactly one is left there is no policy (RFC 8461 §3.1).
Checked<StsRecord> parse_sts_records(const std::vector<std::string>& txts);
/// "v=STSv1; id=…": the one form every known sender accepts.
std::string format_sts_record(const StsRecord& record);
/// Code::invalid unless `id` is 1 to 32 letters and digits (RFC 8461 §3.1).
Result<Done> check_id(std::string_view id);

/// Reads one record (RFC 8460 §3, RFC 3986 URIs).
Checked<TlsRptRecord> parse_tlsrpt_record(std::string_view txt);
/// All TXT values at _smtp._tls.DOMAIN: exactly one TLS-RPT record or none is implemented.
Checked<TlsRptRecord> parse_tlsrpt_records(const std::vector<std::string>& txts);
/// "v=TLSRPTv1; rua=a,b": one rua field, no blanks round the commas.
std::string format_tlsrpt_record(const TlsRptRecord& record);
/// Code::invalid unless `uri` is a mailto: or https: URI fit for rua, with ',', '!' and ';'
/// percent-encoded (RFC 8460 §3).
Result<Done> check_rua(std::string_view uri);

/// Do two records announce the same by meaning (spacing, trailing ';', unknown fields apart)?
/// False if either cannot be read, or has a form that known senders read differently: a blank
/// before the first ';', or id or rua more than once.
bool same_sts_record(std::string_view left, std::string_view right);
bool same_tlsrpt_record(std::string_view left, std::string_view right);

}  // namespace stsctl::sts
