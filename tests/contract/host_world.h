#pragma once
// One policy host and the service behind it, as the contract suite drives them: a real server or an
// emulator, what it stores as other eyes than the host's see it, and what goes wrong on the way.
// tests/contract/README.md tells how to add one.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "providers/provider.h"
#include "servers/relay.h"

namespace stsctl::contract {

/// What some cases need of a world beyond the calls that every world has.
enum class HostNeed {
  credentials,  ///< Wrong credentials can be shown to the service.
  permissions,  ///< Reading and writing one domain's policy can be forbidden.
  disk,         ///< The service's disk can be full.
  wire,         ///< There is a connection that can be cut and held.
  folders,      ///< A folder can stand where a policy should.
  layouts,      ///< Where policies are kept is a setting.
};
const char* to_string(HostNeed need);

/// Where policies are kept.
enum class Layout {
  usual,  ///< As the host keeps them when nobody says otherwise.
  flat,   ///< All in one folder that exists: "policies/{domain}.txt".
};

/// The setting `path`, or the end of `url`: where a policy is below the root.
std::string path_template(Layout layout);

/// How a host is opened.
struct HostAccess {
  bool good_credentials = true;
  Duration timeout{30};  ///< The setting `timeout`, where there is one.
};

/// Calls come from one thread but stored(), which any thread may call; the host that open() returns
/// is called from several. Every call throws std::runtime_error when the world itself fails: that
/// fails the test.
class HostWorld {
 public:
  virtual ~HostWorld() = default;

  /// From now on the service stores nothing, and nothing is forbidden, full, held or cut. Called
  /// before all else, and again for each test.
  virtual void start(Layout layout) = 0;
  /// The host as the registry opens it.
  virtual Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& access,
                                                              const io::Services& services) = 0;

  /// The body that is stored for a domain, seen without the host; none: there is none.
  virtual std::optional<std::string> stored(const std::string& domain) = 0;
  /// The neighbour: stores a body, or removes it, behind the host's back.
  virtual void put(const std::string& domain, const std::string& body) = 0;
  virtual void drop(const std::string& domain) = 0;
  /// What is stored besides the policies of `domains`: temporary files and the like.
  virtual std::vector<std::string> leftovers(const std::vector<std::string>& domains) = 0;

  /// What must show nowhere: every secret that any HostAccess uses.
  virtual std::vector<std::string> secrets() const { return {}; }

  virtual void forbid_reading(const std::string& domain);  ///< HostNeed::permissions; there is one.
  virtual void forbid_writing(const std::string& domain);  ///< HostNeed::permissions
  virtual void fill_disk();                                ///< HostNeed::disk
  virtual void free_disk();
  virtual servers::Relay& wire();                      ///< HostNeed::wire
  virtual void put_folder(const std::string& domain);  ///< HostNeed::folders
};

/// One world and what it is like, as data: the suite chooses its cases by it and prints the
/// reasons.
struct HostWorldKind {
  std::string name;  ///< Begins with the name of its file: "webdav_nginx" of webdav_world.cpp.
  std::function<std::unique_ptr<HostWorld>()> make;
  std::map<HostNeed, std::string> lacks = {};  ///< What it has not, and why.
  std::size_t fleet = 1000;                    ///< Policies of the test with many.
  bool together = false;  ///< Readers see all that one write() changes at once.
  /// How reading ends that is forbidden.
  std::vector<Code> hidden = {Code::unauthorized, Code::internal};
};

/// Adds a world to the suite: `const bool added = add_host_world({…});` in its file.
bool add_host_world(HostWorldKind kind);
/// All worlds, by name.
const std::vector<HostWorldKind>& host_worlds();

}  // namespace stsctl::contract
