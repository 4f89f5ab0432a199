#include "providers/zonefile/zonefile.h"

#include <algorithm>
#include <filesystem>
#include <mutex>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "providers/expected.h"
#include "providers/zonefile/zone.h"

namespace stsctl::providers::zonefile {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_file = std::size_t{1} << 30U;
constexpr std::size_t files_at_once = 4;
constexpr Duration reload_deadline{60};
constexpr const char* placeholder = "{zone}";

Capabilities zonefile_capabilities() {
  return {.atomic_batch = true,
          .compare_and_swap = true,  // under the folder's lock
          .minimum_ttl = Duration{0},
          .write_concurrency = files_at_once};
}

std::string glob_quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string filled(const std::string& pattern, const dns::Name& zone) {
  std::string text = pattern;
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + zone.text().size()))
    text.replace(at, std::string_view(placeholder).size(), zone.text());
  return text;
}

class ZoneFiles : public DnsProvider {
 public:
  ZoneFiles(const Settings& settings, const io::Services& services)
      : services_(services),
        directory_(settings.text("directory")),
        pattern_((fs::path(directory_) / settings.text("path", "{zone}.zone")).string()),
        listed_(settings.list("zones")),
        reload_(settings.list("reload")),
        capabilities_(zonefile_capabilities()) {}

  const Capabilities& capabilities() const override { return capabilities_; }

  std::vector<Result<dns::Name>> find_zones(const std::vector<dns::Name>& names,
                                            const Watch& /*watch*/) override {
    std::call_once(found_, [&] { zones_ = discover(); });
    std::vector<Result<dns::Name>> results;
    results.reserve(names.size());
    for (const dns::Name& name : names)
      results.push_back(find_zone(name));
    return results;
  }

  std::vector<Result<std::vector<dns::RecordSet>>> read(const std::vector<ZoneQuery>& queries,
                                                        const Watch& watch) override {
    const auto results =
        parallel_map(queries, files_at_once, watch.stop, [&](const ZoneQuery& query) {
          auto sets = read_sets(query);
          watch.advanced(query.owners.size());
          return sets;
        });
    std::vector<Result<std::vector<dns::RecordSet>>> all;
    for (const auto& result : results)
      all.push_back(result ? *result : fail(Code::cancelled, "stopped before it was read"));
    return all;
  }

  Result<Done> write(const dns::Name& zone, const std::vector<plan::RecordEdit>& edits) override {
    if (const Result<Done> inside = check_inside(zone, edits); !inside) return inside;
    const std::string path = filled(pattern_, zone);
    // Other runs of stsctl wait here; other programs are noticed by the re-read.
    const auto lock = services_.files.lock(fs::path(path).parent_path().string());
    if (!lock) return fail(lock);
    const Result<Zone> live = load(zone, path);
    if (!live) return fail(live);
    if (const Result<Done> expected = check_before(*live, edits); !expected) return expected;
    const auto texts = edit_zone(*live, edits, services_.clock.now());
    if (!texts) return fail(texts);
    if (texts->empty()) return Done{};
    if (const auto seal = first_seal(*live))
      return fail(Code::unsupported,
                  fmt::format("the zone is signed or digested in its file ({}): an edit would make "
                              "validators reject it",
                              live->at(*seal).type),
                  live->where(*seal),
                  "let the server sign the zone, and keep the unsigned file here");
    if (const Result<Done> stored = store(*texts, path); !stored) return stored;
    return reload(zone);
  }

 private:
  Result<std::vector<dns::Name>> discover() const {
    std::vector<dns::Name> zones;
    if (!listed_.empty()) {
      for (const std::string& text : listed_) {
        const Result<dns::Name> name = dns::Name::parse(text);
        if (!name) return fail_at(name, "zones");
        zones.push_back(*name);
      }
    } else {
      // One listing, not a stat for every zone.
      const std::size_t at = pattern_.find(placeholder);
      const std::string before = pattern_.substr(0, at);
      const std::string after = pattern_.substr(at + std::string_view(placeholder).size());
      const auto paths = services_.files.glob(glob_quoted(before) + "*" + glob_quoted(after));
      if (!paths) return fail(paths);
      for (const std::string& path : *paths) {
        const Result<dns::Name> name = dns::Name::parse(
            path.substr(before.size(), path.size() - before.size() - after.size()));
        if (name) zones.push_back(*name);
      }
    }
    std::ranges::sort(zones);
    return zones;
  }

  Result<dns::Name> find_zone(const dns::Name& name) const {
    if (!zones_) return fail(zones_);
    const dns::Name* zone = dns::longest_zone(*zones_, name);
    if (zone != nullptr) return *zone;
    return fail(Code::not_found, fmt::format("no zone file in {} holds this name", directory_),
                name.text(), "add the file, or name another 'dns' account for the domain");
  }

  Result<Zone> load(const dns::Name& zone, const std::string& path) const {
    return read_zone(zone, path, directory_, [&](const std::string& file) {
      return services_.files.read(file, longest_file);
    });
  }

  Result<std::vector<dns::RecordSet>> read_sets(const ZoneQuery& query) const {
    const Result<Zone> zone = load(query.zone, filled(pattern_, query.zone));
    if (!zone) return fail(zone);
    return record_sets(*zone, query.owners);
  }

  static Result<Done> check_before(const Zone& live, const std::vector<plan::RecordEdit>& edits) {
    std::vector<dns::Name> owners;
    for (const plan::RecordEdit& edit : edits)
      owners.push_back(edit.after ? edit.after->owner : edit.before->owner);
    const auto sets = record_sets(live, owners);
    if (!sets) return fail(sets);
    return check_expected(*sets, edits);
  }

  Result<Done> store(const std::map<std::string, std::string>& texts,
                     const std::string& main) const {
    const fs::path tree = fs::path(directory_).lexically_normal();
    for (const auto& [path, text] : texts)
      if (fs::path(path).lexically_normal().lexically_relative(tree).string().starts_with(".."))
        return fail(Code::refused, "the record stands in an included file outside the directory",
                    path, "move the record, or give this account the folder above both");
    // The main file last: its new serial is what tells servers to look.
    for (const auto& [path, text] : texts) {
      if (path == main) continue;
      if (const Result<Done> done = services_.files.replace(path, text, false); !done) return done;
    }
    const auto found = texts.find(main);
    return found == texts.end() ? Result<Done>(Done{})
                                : services_.files.replace(main, found->second, false);
  }

  Result<Done> reload(const dns::Name& zone) const {
    if (reload_.empty()) return Done{};
    std::vector<std::string> argv;
    for (const std::string& argument : reload_)
      argv.push_back(filled(argument, zone));
    const Result<io::Exit> exit = services_.process.run(argv, {}, reload_deadline);
    const std::string where = "reload of " + zone.text();
    if (!exit) return fail_at(exit, where);
    if (exit->status == 0) return Done{};
    const std::string said(trim(exit->errors.empty() ? exit->output : exit->errors));
    return fail(Code::internal,
                fmt::format("'{}' ended with status {}: {}", join(argv, " "), exit->status,
                            printable(said.substr(0, 500))),
                where, "the zone file is written; the server has not loaded it");
  }

  io::Services services_;
  std::string directory_;
  std::string pattern_;
  Settings::List listed_;
  Settings::List reload_;
  Capabilities capabilities_;
  std::once_flag found_;
  Result<std::vector<dns::Name>> zones_;
};

std::vector<SettingSpec> settings() {
  return {
      {.name = "directory",
       .type = SettingType::path,
       .description = "Folder of the zone files.",
       .required = true},
      {.name = "path",
       .type = SettingType::text,
       .description = "File of a zone below the folder; {zone} stands for its name.",
       .fallback = "{zone}.zone"},
      {.name = "zones",
       .type = SettingType::list,
       .description = "The zones to manage; left out, every file that fits 'path'."},
      {.name = "reload",
       .type = SettingType::list,
       .description = "Program and arguments run after a zone changed, without a shell; {zone} "
                      "stands for its name: [rndc, reload, \"{zone}\"]."},
  };
}

Result<std::unique_ptr<DnsProvider>> open(const Settings& settings, const io::Services& services) {
  const std::string pattern = settings.text("path", "{zone}.zone");
  const std::size_t first = pattern.find(placeholder);
  if (first == std::string::npos || pattern.find(placeholder, first + 1) != std::string::npos)
    return fail(Code::invalid, "'path' must hold {zone} once", settings.where("path"),
                "write it as in 'path: \"{zone}.zone\"'");
  return std::make_unique<ZoneFiles>(settings, services);
}

}  // namespace

DnsKind kind() {
  return {"zonefile", "Master files (RFC 1035) on this machine: BIND, Knot, NSD", settings(),
          zonefile_capabilities(), open};
}

}  // namespace stsctl::providers::zonefile
