#include "servers/disk.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <sched.h>
#include <sys/mount.h>

#include "servers/sshd.h"

namespace stsctl::servers {

namespace {

std::string take_own_mounts() {
  if (!is_root()) return "only root may mount one";
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return std::string("this machine lets nobody mount one: ") + std::strerror(errno);
  return {};
}

}  // namespace

const std::string& why_no_disk() {
  static const std::string why = take_own_mounts();
  return why;
}

Disk::Disk(std::string folder, const std::string& size) : folder_(std::move(folder)) {
  if (!why_no_disk().empty()) throw std::runtime_error("no disk: " + why_no_disk());
  if (mount("stsctl", folder_.c_str(), "tmpfs", 0, ("mode=0755,size=" + size).c_str()) != 0)
    throw std::runtime_error(std::string("cannot mount: ") + std::strerror(errno));
}

Disk::~Disk() {
  umount2(folder_.c_str(), MNT_DETACH);
}

}  // namespace stsctl::servers
