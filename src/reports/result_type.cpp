#include "reports/result_type.h"

#include "base/text.h"

namespace stsctl::reports {

const std::array<ResultInfo, result_type_count>& result_types() {
  using enum ResultType;
  static constexpr std::array<ResultInfo, result_type_count> all{{
      {starttls_not_supported, "starttls-not-supported",
       "The mail host did not offer STARTTLS, or something on the way took the offer out.",
       "Switch STARTTLS on at that host for every address; where 'stsctl verify' sees it offered, "
       "ask who stands between that sender and the host.",
       false},
      {certificate_host_mismatch, "certificate-host-mismatch",
       "The certificate does not name the MX host as the MX record does, or no mx pattern of the "
       "policy allows the host.",
       "Add the host's name to its certificate; look whether an mx pattern with '*.' stands for "
       "more than one label.",
       false},
      {certificate_expired, "certificate-expired", "The mail host's certificate has ended.",
       "Renew it, and let the mail server load it: a renewal without a reload does nothing.",
       false},
      {certificate_not_trusted, "certificate-not-trusted",
       "The mail host's certificate leads to no authority that the sender trusts: self-signed, or "
       "sent without its intermediate.",
       "Serve a certificate of a public authority together with its intermediates.", false},
      {validation_failure, "validation-failure",
       "A failure that the sender did not sort: often an MX host that no mx pattern allows.",
       "Read the reason code; hold the MX records against the policy with 'stsctl verify'.", false},
      {tlsa_invalid, "tlsa-invalid",
       "No TLSA record fits the mail host's certificate (DANE), or one is malformed.",
       "Publish the TLSA record of a new certificate before the certificate itself.", true},
      {dnssec_invalid, "dnssec-invalid", "The zone's DNSSEC signatures do not validate (DANE).",
       "Look at the zone's signatures and its DS record at the parent.", true},
      {dane_required, "dane-required",
       "The sender demands DANE of this domain and found no usable TLSA record.",
       "Publish TLSA records, or settle it with that sender.", true},
      {sts_policy_fetch_error, "sts-policy-fetch-error",
       "The _mta-sts record was there, and the policy could not be fetched: the policy host was "
       "down, slow, redirected, or served another status than 200.",
       "Look at mta-sts.DOMAIN from outside with 'stsctl verify': every address, status 200, no "
       "redirect, no block on mail servers.",
       false},
      {sts_policy_invalid, "sts-policy-invalid", "The policy was fetched and could not be read.",
       "Check it with 'stsctl lint --policy FILE'; 'stsctl apply' writes a form that every sender "
       "reads.",
       false},
      {sts_webpki_invalid, "sts-webpki-invalid",
       "The policy host's certificate is not valid for mta-sts.DOMAIN.",
       "Renew that certificate; it must name mta-sts.DOMAIN and be of a public authority.", false},
      {other, "other", "A result type that stsctl does not know.",
       "Read the reason code and ask the sender.", false},
      {unspecified, "unspecified", "The sender counts failed sessions and says nothing of them.",
       "Look at the other senders' reports of these days, and at 'stsctl verify'.", false},
  }};
  return all;
}

const ResultInfo& info(ResultType type) {
  return result_types().at(static_cast<std::size_t>(type));
}

ResultType parse_result_type(std::string_view name) {
  const std::string word = lower(name);
  for (const ResultInfo& one : result_types())
    if (one.name == word && one.type != ResultType::unspecified) return one.type;
  return ResultType::other;
}

}  // namespace stsctl::reports
