#pragma once
// Small disks, seen by this process and the programs it starts alone.

#include <string>

namespace stsctl::servers {

/// Why no disk can be mounted here; "": it can. The first call gives this process mounts of its
/// own: to be made before threads and programs are started that are to see them.
const std::string& why_no_disk();

/// A disk in memory, mounted on a folder while it exists. Throws std::runtime_error.
class Disk {
 public:
  /// `size` as tmpfs(5) reads it: "24m".
  Disk(std::string folder, const std::string& size);
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk();

 private:
  std::string folder_;
};

}  // namespace stsctl::servers
