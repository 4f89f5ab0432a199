#pragma once
// The name servers of Debian, started with given zones and keys: BIND, Knot and PowerDNS.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "servers/running.h"

namespace stsctl::servers {

/// A TSIG key that the servers know.
struct TsigKey {
  std::string name;
  std::string algorithm;
  std::string secret;
};

/// May update and transfer every zone.
TsigKey writer_key();
/// The same with the other algorithms.
TsigKey writer_key_sha1();
TsigKey writer_key_sha512();
/// May read (and transfer), not update.
TsigKey reader_key();

/// What a zone begins with, besides SOA and NS: lines in master-file form with absolute names.
struct ZoneSeed {
  std::string name;
  std::vector<std::string> records = {};
  bool operator==(const ZoneSeed&) const = default;
};

/// The clock that a server goes by.
enum class ServerClock { right, hour_fast };

/// One running server; its folder and process go with it.
class NameServer {
 public:
  virtual ~NameServer() = default;
  std::uint16_t port() const { return port_; }
  /// PowerDNS: where its HTTP API listens ("http://127.0.0.1:PORT").
  const std::string& api() const { return api_; }
  const Folder& folder() const { return folder_; }
  std::string log() const;

  /// What `dig` sees: the answer section of one question over TCP, one record a line, sorted.
  std::vector<std::string> dig(const std::string& name, const std::string& type) const;
  /// The same for many questions, each a name and a type, in one run.
  std::vector<std::string> dig(
      const std::vector<std::pair<std::string, std::string>>& questions) const;
  /// The SOA records of these zones, those served at least.
  std::vector<std::string> soas(const std::vector<ZoneSeed>& zones) const;
  /// Every record of a zone in the same form, by a transfer signed with writer_key().
  std::vector<std::string> transfer(const std::string& zone) const;
  /// Sends commands to `nsupdate`, signed with writer_key(): the neighbour who changes things.
  void nsupdate(const std::string& zone, const std::vector<std::string>& commands) const;

 protected:
  void start(std::vector<std::string> argv, ServerClock clock = ServerClock::right);
  /// Waits until the zones are served: BIND and Knot listen before that.
  void await(const std::vector<ZoneSeed>& zones) const;
  /// The answers of one run of dig, its own arguments given.
  std::vector<std::string> ask(const std::vector<std::string>& arguments) const;
  Folder folder_;
  std::uint16_t port_ = 0;
  std::string api_;

 private:
  std::unique_ptr<Running> running_;
};

/// The API key of the PowerDNS started here.
std::string api_key();

std::unique_ptr<NameServer> start_bind(const std::vector<ZoneSeed>& zones,
                                       ServerClock clock = ServerClock::right);
std::unique_ptr<NameServer> start_knot(const std::vector<ZoneSeed>& zones,
                                       ServerClock clock = ServerClock::right);
std::unique_ptr<NameServer> start_powerdns(const std::vector<ZoneSeed>& zones,
                                           ServerClock clock = ServerClock::right);
/// Puts these zones in place of those that a running PowerDNS has: faster than another start.
void refill_powerdns(const NameServer& server, const std::vector<ZoneSeed>& zones);

}  // namespace stsctl::servers
