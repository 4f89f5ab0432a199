#pragma once
// The texts that carry keys: JSON of programs and metadata services, XML of the token service.
// Pure.

#include <string_view>

#include "base/result.h"
#include "providers/aws/credentials.h"

namespace stsctl::providers::aws {

/// What a credential_process prints (version 1), and what the container and instance metadata
/// services answer: AccessKeyId, SecretAccessKey, SessionToken or Token, Expiration. Code::protocol
/// for other text; it is never quoted.
Result<Credentials> parse_key_document(std::string_view text);

/// The credentials in the answer of AssumeRole and AssumeRoleWithWebIdentity.
Result<Credentials> parse_assumed_role(std::string_view xml);

/// "2026-11-24T08:15:00Z", with a fraction of a second or "+00:00" too. Code::protocol for other
/// text.
Result<Time> parse_expiration(std::string_view text);

}  // namespace stsctl::providers::aws
