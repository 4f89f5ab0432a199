#pragma once
// What worlds have in common whose service is an emulator of tests/emulators, or a real server
// behind one of its proxies: faults, journal, held requests. Knows no API.

#include <map>
#include <string>

#include "dns_world.h"
#include "servers/emulator.h"

namespace stsctl::contract {

class EmulatedWorld : public DnsWorld {
 public:
  void inject(const Fault& fault) override;
  void heal() override;
  Requests requests() override;
  void forget() override;
  void hold_next_write(const std::optional<Fault>& then) override;
  void await_held() override;
  void release() override;

 protected:
  virtual const servers::Emulator& emulator() const = 0;

  /// Which requests are meant: members of emulator.py's Fault.
  struct Filter {
    std::string method;     ///< "": any
    std::string path = {};  ///< A regular expression for path?query; "": any
  };
  /// The requests that change records, or those that do not; about one zone if one is given.
  virtual Filter writes(const std::string& zone) const = 0;
  virtual Filter reads(const std::string& zone) const = 0;

  /// How the service answers a trouble that is a status, malformed or echo.
  struct Answer {
    int status = 0;
    std::string body = {};
    std::map<std::string, std::string> headers = {};
  };
  virtual Answer answer(Trouble trouble) const = 0;

 private:
  void add(const std::optional<Fault>& fault, bool hold) const;
};

/// The usual status of each trouble: 401, 403, 404, 429, 500, 503; 401 for echo, 200 for malformed.
int http_status(Trouble trouble);

}  // namespace stsctl::contract
