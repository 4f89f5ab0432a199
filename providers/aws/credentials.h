#pragma once
// What proves to AWS who asks. Knows no source and no request.

#include <optional>
#include <string>

#include "base/time.h"

namespace stsctl::providers::aws {

/// One set of keys.
struct Credentials {
  std::string access_key;     ///< "AKIA…"; no secret by itself.
  std::string secret_key;     ///< Signs; is never sent.
  std::string session_token;  ///< Sent along with temporary keys; "" with lasting ones.
  std::optional<Time> expires = {};
  bool operator==(const Credentials&) const = default;
};

}  // namespace stsctl::providers::aws
