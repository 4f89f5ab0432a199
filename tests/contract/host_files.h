#pragma once
// What the worlds have in common whose service keeps policies as files in a folder of this machine.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host_world.h"
#include "servers/disk.h"
#include "servers/running.h"

namespace stsctl::contract {

/// `others`, and HostNeed::disk where no disk can be mounted.
std::map<HostNeed, std::string> lacks(std::map<HostNeed, std::string> others);

/// While it exists this thread touches files as an ordinary user, since nothing is forbidden to
/// root. Threads that are started inherit it.
class AsPlainUser {
 public:
  AsPlainUser();
  ~AsPlainUser();
  AsPlainUser(const AsPlainUser&) = delete;
  AsPlainUser& operator=(const AsPlainUser&) = delete;
};
/// The host, reading and writing as that user.
std::unique_ptr<providers::PolicyHost> as_plain_user(std::unique_ptr<providers::PolicyHost> host);

/// The folder is on a disk of 24 MiB where that can be, and belongs to servers::plain_user().
class FilesWorld : public HostWorld {
 public:
  FilesWorld();
  ~FilesWorld() override;

  void start(Layout layout) override;
  std::optional<std::string> stored(const std::string& domain) override;
  void put(const std::string& domain, const std::string& body) override;
  void drop(const std::string& domain) override;
  std::vector<std::string> leftovers(const std::vector<std::string>& domains) override;
  void forbid_reading(const std::string& domain) override;
  void forbid_writing(const std::string& domain) override;
  void fill_disk() override;
  void free_disk() override;
  void put_folder(const std::string& domain) override;

 protected:
  /// The folder that is served; servers may keep their own files beside it, on the same disk.
  const std::string& root() const { return root_; }
  Layout layout() const { return layout_; }
  std::string path_template() const { return contract::path_template(layout_); }

 private:
  std::string file_of(const std::string& domain) const;
  void make_folders(const std::string& file) const;
  void forbid(const std::string& domain, unsigned mode);

  servers::Folder folder_;
  std::string disk_;
  std::unique_ptr<servers::Disk> mounted_;
  std::string root_;
  Layout layout_ = Layout::usual;
  std::set<std::string> forbidden_;  ///< Folders whose permissions start() gives back.
};

}  // namespace stsctl::contract
