#pragma once
// The emulator of Route 53 and of the services that hand out AWS keys (tests/emulators/route53.py).

#include <map>
#include <string>
#include <vector>

#include "servers/emulator.h"

namespace stsctl::servers {

/// A hosted zone to begin with, besides its SOA and NS.
struct HostedZoneSeed {
  std::string id;  ///< "Z1".
  std::string name;
  std::vector<std::string> records = {};  ///< "a.example.com 300 TXT \"value\"", a value a line.
  std::vector<std::string> special = {};  ///< Sets as the emulator's JSON has them.
  std::string more = "{}";                ///< Further members of the zone, as JSON.
};

/// Runs while it exists; slow to start, so that tests share one and lay its state out anew.
class Route53Server {
 public:
  Route53Server() : emulator_("route53.py") {}

  const std::string& url() const { return emulator_.url(); }
  const Emulator& emulator() const { return emulator_; }

  /// Lays out these zones, the usual key, and `more` members of the state (JSON); forgets the
  /// journal and all faults.
  void load(const std::vector<HostedZoneSeed>& zones, const std::string& more = "{}") const;

  /// What a program's environment needs to ask as the usual key.
  std::map<std::string, std::string> environment() const;

  /// The records of a zone without those at its apex: lines as in HostedZoneSeed, sorted.
  std::vector<std::string> records(const std::string& zone_id) const;
  /// How many changes were made.
  std::size_t changes() const;
  /// How many requests were refused for the rate.
  std::size_t throttled() const;
  /// Requests of that method whose path holds `part`.
  std::size_t requests(const std::string& method, const std::string& part) const;

 private:
  Emulator emulator_;
};

}  // namespace stsctl::servers
