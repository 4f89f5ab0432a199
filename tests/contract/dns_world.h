#pragma once
// One DNS provider and the service behind it, as the contract suite drives them: a real server or
// an emulator, what it holds as other eyes than the provider's see it, and what goes wrong on the
// way. tests/contract/README.md tells how to add one.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "providers/provider.h"
#include "servers/name_server.h"

namespace stsctl::contract {

using servers::ZoneSeed;

/// One record as somebody other than the provider sees it.
struct Seen {
  std::string owner;  ///< Lower case, without the final dot.
  std::string type;   ///< "TXT"
  std::int64_t ttl = 0;
  /// TXT: its bytes, the strings joined. CNAME: the target, lower case, without the final dot.
  std::string data;
  std::string spelling;  ///< The data as the service keeps or shows it.
  auto operator<=>(const Seen&) const = default;
};

/// Reads "NAME TTL IN TYPE DATA", a line of a ZoneSeed or of dig's answer. Shares no code with the
/// providers. Throws std::runtime_error for any other text.
Seen read_line(const std::string& line);
std::vector<Seen> read_lines(const std::vector<std::string>& lines);

/// What can go wrong between provider and service.
enum class Trouble {
  unauthorized,  ///< 401
  forbidden,     ///< 403; a name server: REFUSED
  gone,          ///< 404: the zone was there a moment ago
  too_many,      ///< 429, or what the service says instead; `Retry-After: 1`
  failing,       ///< 500; a name server: SERVFAIL
  overloaded,    ///< 503
  moved,         ///< 302 to another address, which nobody may follow with credentials.
  malformed,     ///< An answer that breaks its own format.
  cut_off,       ///< The answer ends in its middle.
  slow,          ///< The answer comes later than Access::timeout.
  reset,         ///< The connection is reset in place of an answer.
  echo,          ///< A refusal (400, 401 or 403) whose text repeats the credentials.
};
const char* to_string(Trouble trouble);

struct Fault {
  Trouble trouble = Trouble::failing;
  bool writes = false;  ///< Meets requests that change records; else those that do not.
  bool done = false;    ///< The service does its work, and only the answer goes wrong.
  int times = 1;        ///< So many requests, then it is over.
  std::string zone;     ///< Meets only requests about this zone; "": all.
};
constexpr int always = 1'000'000;

/// What some cases need of a world beyond the calls that every world has.
enum class Need {
  credentials,          ///< Wrong credentials can be shown to the service.
  limited_credentials,  ///< There are credentials that may read and not write.
  counting,             ///< Somebody counts the requests.
  holding,              ///< A write can be held on its way, after the provider has compared.
  every_type,           ///< A type that is not managed is shown beside one that is.
  every_byte,           ///< A TXT record holds any byte, not only text.
  whole_sets,           ///< Of two sets created at once one stands, not the records of both.
  lone_cname,           ///< The service itself puts nothing beside a CNAME.
};
const char* to_string(Need need);

enum class Credentials { good, wrong, read_only };

/// How a provider is opened.
struct Access {
  Credentials credentials = Credentials::good;
  Duration timeout{30};  ///< The setting `timeout`.
};

/// Requests that reached the service, or a fault in its place, since start() or forget().
struct Requests {
  std::size_t all = 0;
  std::size_t writes = 0;       ///< Those that ask for a change of records.
  std::size_t writes_done = 0;  ///< Those of them that the service worked on.
  std::size_t astray = 0;       ///< Those that followed Trouble::moved.
};

/// Calls come from one thread, open()'s provider is called from several. Every call throws
/// std::runtime_error when the world itself fails: that fails the test.
class DnsWorld {
 public:
  virtual ~DnsWorld() = default;

  /// From now on the service holds exactly these zones, each with SOA and NS besides its records;
  /// faults are over and counts begin anew. Called before all else, and again for each test.
  virtual void start(const std::vector<ZoneSeed>& zones) = 0;
  /// The provider as the registry opens it.
  virtual Result<std::unique_ptr<providers::DnsProvider>> open(const Access& access,
                                                               const io::Services& services) = 0;

  /// Every record of a zone, sorted, without SOA, and without NS at the zone's name.
  virtual std::vector<Seen> look(const std::string& zone) = 0;
  /// A number that is another after every change of the zone: the serial, or writes counted.
  virtual std::uint64_t version(const std::string& zone) = 0;
  /// The neighbour: puts these records in place of those of one set, behind the provider's back. No
  /// lines: the set goes.
  virtual void change(const std::string& zone, const std::string& owner, const std::string& type,
                      const std::vector<std::string>& lines) = 0;

  /// What must show nowhere: every secret that any Access uses. None where there are none.
  virtual std::vector<std::string> secrets() const { return {}; }

  /// What WorldKind::spared does not name. The first fault that fits a request meets it.
  virtual void inject(const Fault& fault) = 0;
  virtual void heal() = 0;

  virtual Requests requests();  ///< Need::counting
  virtual void forget() {}
  /// Need::holding: the next write waits on its way, after the provider has compared, until
  /// release(); `then` is what happens to it after that.
  virtual void hold_next_write(const std::optional<Fault>& then = {});
  virtual void await_held();
  virtual void release();
};

/// One world and what it is like, as data: the suite chooses its cases by it and prints the
/// reasons.
struct WorldKind {
  std::string name;  ///< Begins with the name of its file: "rfc2136_bind" of rfc2136_world.cpp.
  std::function<std::unique_ptr<DnsWorld>()> make;
  std::map<Need, std::string> lacks = {};      ///< What it has not, and why.
  std::map<Trouble, std::string> spared = {};  ///< What cannot happen to it, and why.
  std::size_t fleet = 1000;                    ///< Zones of the test with many.
  /// Most requests that find and read three owners in each of so many zones.
  std::function<std::size_t(std::size_t zones)> plan_requests = {};
};

/// Adds a world to the suite: `const bool added = add_world({…});` in its file.
bool add_world(WorldKind kind);
/// All worlds, by name.
const std::vector<WorldKind>& worlds();

}  // namespace stsctl::contract
