#pragma once
// The emulator of Cloudflare's API, tests/emulators/cloudflare.py, running.

#include <string>
#include <vector>

#include "servers/emulator.h"

namespace stsctl::servers {

/// A token of the form that the service gives out, for the state's "tokens".
inline constexpr const char* cloudflare_token = "k3pRqXv0-9sTz_WmLd7YbN5cJhF2gVa8uEoI1xQt";

class CloudflareEmulator : public Emulator {
 public:
  explicit CloudflareEmulator(const std::vector<std::string>& arguments = {})
      : Emulator("cloudflare.py", arguments) {}

  /// For the setting `endpoint`.
  std::string endpoint() const { return url() + "/client/v4"; }
};

}  // namespace stsctl::servers
