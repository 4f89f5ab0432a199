#pragma once
// Which hosts take a domain's mail, as a sender finds out.

#include <optional>
#include <string_view>
#include <vector>

#include "io/resolver.h"
#include "plan/observed.h"
#include "providers/provider.h"

namespace stsctl::engine {

/// The mail host that an MX record names, as text in any case; none for what is none: the root (RFC
/// 7505) and addresses (RFC 5321 §5.1).
std::optional<dns::Name> mail_host(std::string_view text);

/// What the answer to a question for the MX records of `domain` says (RFC 5321 §5.1, RFC 7505).
/// Hosts whose names no certificate can have are left out. Code::not_found when the domain does not
/// exist.
Result<plan::LiveMx> live_mx(const dns::Name& domain, const io::DnsAnswer& answer);

/// Asks for many, side by side; results pair with `domains`. `watch` advances by one a domain.
std::vector<Result<plan::LiveMx>> observe_mx(const std::vector<dns::Name>& domains,
                                             io::Resolver& resolver, const providers::Watch& watch);

}  // namespace stsctl::engine
