// zonefile: files in a folder, judged by named-checkzone.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "dns_world.h"
#include "providers/zonefile/zonefile.h"

namespace stsctl::contract {
namespace {

namespace fs = std::filesystem;

class ZoneFileWorld final : public DnsWorld {
 public:
  void start(const std::vector<ZoneSeed>& zones) override {
    folder_ = std::make_unique<servers::Folder>();
    for (const ZoneSeed& zone : zones) {
      std::string text = "; kept by hand\n" + zone.name + ". 3600 IN SOA ns1." + zone.name +
                         ". hostmaster." + zone.name + ". 1 3600 600 86400 300\n" + zone.name +
                         ". 3600 IN NS ns1.elsewhere.example.\n";
      for (const std::string& record : zone.records)
        text += record + "\n";
      folder_->write(zone.name + ".zone", text);
    }
  }

  Result<std::unique_ptr<providers::DnsProvider>> open(const Access& /*access*/,
                                                       const io::Services& services) override {
    Settings settings;
    settings.set("directory", folder_->path(), "");
    return providers::zonefile::kind().make(settings, services);
  }

  std::vector<Seen> look(const std::string& zone) override {
    std::vector<Seen> records;
    for (const std::string& line : compiled(zone)) {
      Seen one = read_line(line);
      if (one.type != "SOA" && (one.type != "NS" || one.owner != zone))
        records.push_back(std::move(one));
    }
    std::ranges::sort(records);
    return records;
  }

  std::uint64_t version(const std::string& zone) override {
    std::istringstream words(compiled(zone).at(0));
    std::string word;
    for (int i = 0; i < 6; ++i)  // NAME TTL IN SOA MNAME RNAME
      words >> word;
    std::uint64_t serial = 0;
    words >> serial;
    return serial;
  }

  // The lines of the set go, new ones come at the end.
  void change(const std::string& zone, const std::string& owner, const std::string& type,
              const std::vector<std::string>& lines) override {
    std::istringstream in(text(zone));
    std::string kept;
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      std::string name;
      std::string ttl;
      std::string cls;
      std::string kind;
      words >> name >> ttl >> cls >> kind;
      if (name != owner + "." || kind != type) kept += line + "\n";
    }
    for (const std::string& line : lines)
      kept += line + "\n";
    std::ofstream(path(zone), std::ios::binary) << kept;
  }

  void inject(const Fault& fault) override {
    for (const auto& entry : fs::directory_iterator(folder_->path())) {
      const std::string file = entry.path().string();
      if (fault.zone.empty() ? !file.ends_with(".zone") : file != path(fault.zone)) continue;
      fs::rename(file, file + ".whole");
      if (fault.trouble == Trouble::malformed)
        std::ofstream(file) << "broken ( never closed\n";
      else
        fs::create_directory(file);
    }
  }

  void heal() override {
    for (const auto& entry : fs::directory_iterator(folder_->path())) {
      const std::string whole = entry.path().string();
      if (!whole.ends_with(".whole")) continue;
      const std::string file = whole.substr(0, whole.size() - std::string(".whole").size());
      fs::remove_all(file);
      fs::rename(whole, file);
    }
  }

 private:
  std::string path(const std::string& zone) const { return folder_->file(zone + ".zone"); }

  std::string text(const std::string& zone) const {
    std::ifstream file(path(zone), std::ios::binary);
    if (!file) throw std::runtime_error("no file of " + zone);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
  }

  // The zone as BIND reads it, one record a line.
  std::vector<std::string> compiled(const std::string& zone) const {
    std::istringstream output(servers::run(
        {"named-compilezone", "-q", "-i", "none", "-o", "-", "-s", "full", zone, path(zone)}));
    std::vector<std::string> lines;
    for (std::string line; std::getline(output, line);)
      if (!line.empty() && !line.starts_with(';')) lines.push_back(line);
    return lines;
  }

  std::unique_ptr<servers::Folder> folder_;
};

constexpr const char* whole = "a file is read whole or not at all";

const bool added = add_world({
    .name = "zonefile",
    .make = [] { return std::make_unique<ZoneFileWorld>(); },
    .lacks = {{Need::credentials, "the rights of the account that runs stsctl"},
              {Need::limited_credentials, "the rights of the account that runs stsctl"},
              {Need::counting, "nobody counts what is read from a disk"},
              {Need::holding, "the folder's lock keeps other runs out, not other programs"}},
    .spared = {{Trouble::unauthorized, "no service: a file that cannot be read is 'failing'"},
               {Trouble::forbidden, "no service: a file that cannot be read is 'failing'"},
               {Trouble::gone, "no service: a file that cannot be read is 'failing'"},
               {Trouble::too_many, "no service, no limit"},
               {Trouble::overloaded, "no service"},
               {Trouble::moved, "no service"},
               {Trouble::cut_off, whole},
               {Trouble::slow, whole},
               {Trouble::reset, whole},
               {Trouble::echo, "no credentials"}},
});

}  // namespace
}  // namespace stsctl::contract
