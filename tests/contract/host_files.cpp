#include "host_files.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <pwd.h>
#include <sys/fsuid.h>

#include "servers/sshd.h"

namespace stsctl::contract {

namespace {

namespace fs = std::filesystem;

constexpr const char* filler = "/filler";

class PlainHost final : public providers::PolicyHost {
 public:
  explicit PlainHost(std::unique_ptr<PolicyHost> host) : host_(std::move(host)) {}
  std::vector<Result<std::optional<std::string>>> read(const std::vector<dns::Name>& domains,
                                                       const providers::Watch& watch) override {
    const AsPlainUser user;
    return host_->read(domains, watch);
  }
  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const providers::Watch& watch) override {
    const AsPlainUser user;
    return host_->write(edits, watch);
  }
  std::optional<plan::Address> address(const dns::Name& domain) const override {
    return host_->address(domain);
  }

 private:
  std::unique_ptr<PolicyHost> host_;
};

}  // namespace

std::map<HostNeed, std::string> lacks(std::map<HostNeed, std::string> others) {
  if (!servers::why_no_disk().empty()) others.emplace(HostNeed::disk, servers::why_no_disk());
  return others;
}

AsPlainUser::AsPlainUser() {
  if (!servers::is_root()) return;
  const passwd* user = getpwnam(servers::plain_user().c_str());
  setfsgid(user->pw_gid);
  setfsuid(user->pw_uid);
}

AsPlainUser::~AsPlainUser() {
  if (!servers::is_root()) return;
  setfsuid(0);
  setfsgid(0);
}

std::unique_ptr<providers::PolicyHost> as_plain_user(std::unique_ptr<providers::PolicyHost> host) {
  return std::make_unique<PlainHost>(std::move(host));
}

FilesWorld::FilesWorld() : disk_(folder_.file("disk")), root_(disk_ + "/www") {
  fs::create_directory(disk_);
  if (servers::why_no_disk().empty()) mounted_ = std::make_unique<servers::Disk>(disk_, "24m");
  fs::create_directory(root_);
  servers::give_to_plain_user(disk_);
  servers::give_to_plain_user(root_);
}

FilesWorld::~FilesWorld() {
  for (const std::string& folder : forbidden_)
    fs::permissions(folder, fs::perms(0755));
}

void FilesWorld::start(Layout layout) {
  layout_ = layout;
  for (const std::string& folder : forbidden_)
    fs::permissions(folder, fs::perms(0755));
  forbidden_.clear();
  for (const fs::directory_entry& entry : fs::directory_iterator(root_))
    fs::remove_all(entry);
  if (layout == Layout::flat) {
    fs::create_directory(root_ + "/policies");
    servers::give_to_plain_user(root_ + "/policies");
  }
}

std::string FilesWorld::file_of(const std::string& domain) const {
  std::string path = path_template();
  return root_ + "/" + path.replace(path.find("{domain}"), 8, domain);
}

std::optional<std::string> FilesWorld::stored(const std::string& domain) {
  std::ifstream file(file_of(domain), std::ios::binary);
  if (!file || fs::is_directory(file_of(domain))) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void FilesWorld::make_folders(const std::string& file) const {
  for (std::size_t at = file.find('/', root_.size() + 1); at != std::string::npos;
       at = file.find('/', at + 1)) {
    const std::string folder = file.substr(0, at);
    if (fs::create_directory(folder)) servers::give_to_plain_user(folder);
  }
}

void FilesWorld::put(const std::string& domain, const std::string& body) {
  const std::string file = file_of(domain);
  make_folders(file);
  std::ofstream(file, std::ios::binary) << body;
  servers::give_to_plain_user(file);
}

void FilesWorld::drop(const std::string& domain) {
  fs::remove(file_of(domain));
}

std::vector<std::string> FilesWorld::leftovers(const std::vector<std::string>& domains) {
  std::set<std::string> known;
  for (const std::string& domain : domains)
    known.insert(file_of(domain));
  std::vector<std::string> others;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_))
    if (!entry.is_directory() && !known.contains(entry.path().string()))
      others.push_back(entry.path().string());
  return others;
}

void FilesWorld::forbid(const std::string& domain, unsigned mode) {
  const std::string folder = fs::path(file_of(domain)).parent_path().string();
  fs::permissions(folder, fs::perms(mode));
  forbidden_.insert(folder);
}

void FilesWorld::forbid_reading(const std::string& domain) {
  forbid(domain, 0000);
}

void FilesWorld::forbid_writing(const std::string& domain) {
  forbid(domain, 0555);
}

void FilesWorld::fill_disk() {
  std::ofstream file(disk_ + filler, std::ios::binary);
  const std::string page(4096, 'x');
  while (file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) {
  }
}

void FilesWorld::free_disk() {
  fs::remove(disk_ + filler);
}

void FilesWorld::put_folder(const std::string& domain) {
  const std::string file = file_of(domain);
  make_folders(file + "/");
}

}  // namespace stsctl::contract
