#pragma once
// named-checkzone, which nobody here wrote, as the judge of what a zone's files say.

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "base/text.h"
#include "io/process.h"
#include "providers/zonefile/zone.h"
#include "servers/running.h"

namespace stsctl::providers::zonefile {

using FileTexts = std::map<std::string, std::string>;

/// One record as BIND writes it.
struct Judged {
  std::string owner;  ///< Lower case, no final dot.
  std::string ttl;
  std::string type;
  std::string data;
  auto operator<=>(const Judged&) const = default;
};

/// The files of a zone example.com in a folder: "zone" and what it includes, relative paths as from
/// BIND's working directory.
class Judge {
 public:
  explicit Judge(const FileTexts& files) { write(files); }

  void write(const FileTexts& files) const {
    for (const auto& [name, text] : files) {
      if (name.find('/') != std::string::npos)
        std::filesystem::create_directories(
            std::filesystem::path(folder_.file(name)).parent_path());
      folder_.write(name, text);
    }
  }

  /// What BIND loads; Code::invalid with what it said when it loads nothing.
  Result<std::set<Judged>> records() const {
    const auto exit = io::real_process()->run(
        {"named-checkzone", "-i", "none", "-k", "ignore", "-w", folder_.path(), "-D", "-s", "full",
         "-o", "dump", "example.com", "zone"},
        {}, Duration{60});
    if (!exit) return fail(exit);
    if (exit->status != 0) return fail(Code::invalid, exit->output + exit->errors);
    std::set<Judged> records;
    std::ifstream dump(folder_.file("dump"));
    for (std::string line; std::getline(dump, line);) {
      std::istringstream words(line);
      Judged one;
      std::string cls;
      if (!(words >> one.owner >> one.ttl >> cls >> one.type)) continue;
      std::getline(words >> std::ws, one.data);
      one.owner = lower(one.owner.substr(0, one.owner.size() - 1));
      records.insert(one);
    }
    return records;
  }

  /// The same files, read by us.
  Result<Zone> zone() const {
    return read_zone(*dns::Name::parse("example.com"), folder_.file("zone"), folder_.path(),
                     [](const std::string& path) -> Result<std::string> {
                       std::ifstream in(path, std::ios::binary);
                       if (!in) return fail(Code::not_found, "no such file", path);
                       return std::string(std::istreambuf_iterator<char>(in), {});
                     });
  }

  /// The name of a file of ours without the folder.
  std::string name_of(const std::string& path) const {
    return std::filesystem::path(path).lexically_relative(folder_.path()).string();
  }

 private:
  servers::Folder folder_;
};

/// BIND's records as the record sets that a provider would read; sets of other types, and CNAMEs to
/// what no dns::Name can hold, without values and TTL; owners that none can hold left out.
inline std::map<std::pair<std::string, dns::Type>, dns::RecordSet> as_sets(
    const std::set<Judged>& records) {
  std::map<std::pair<std::string, dns::Type>, dns::RecordSet> sets;
  for (const Judged& one : records) {
    const auto owner = dns::Name::parse(one.owner);
    if (!owner || owner->text() != one.owner) continue;
    dns::Type type = dns::parse_type(one.type);
    std::string value = one.data;
    if (type == dns::Type::txt) value = *dns::decode_txt(one.data);
    auto made = dns::make_record_set(*owner, type, Duration{std::stol(one.ttl)}, {value});
    if (type == dns::Type::other || !made) {
      type = made ? dns::Type::other : dns::Type::locked;
      made = dns::RecordSet{*owner, type, Duration{0}, {}};
    }
    auto [entry, is_new] = sets.try_emplace({one.owner, type}, *made);
    if (is_new || made->values.empty()) continue;
    entry->second.values.push_back(made->values.front());
    entry->second = *dns::make_record_set(*owner, type, made->ttl, std::move(entry->second.values));
  }
  return sets;
}

}  // namespace stsctl::providers::zonefile
