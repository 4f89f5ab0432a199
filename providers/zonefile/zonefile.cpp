#include "providers/zonefile/zonefile.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "providers/expected.h"
#include "providers/zonefile/discovery.h"
#include "providers/zonefile/zone.h"

namespace stsctl::providers::zonefile {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_file = std::size_t{1} << 30U;
constexpr std::size_t files_at_once = 4;
constexpr Duration reload_deadline{60};
Capabilities zonefile_capabilities() {
  return {.atomic_batch = true,
          .compare_and_swap = true,  // under the folder's lock
          .minimum_ttl = Duration{0},
          .write_concurrency = files_at_once};
}

class ZoneFiles : public DnsProvider {
 public:
  ZoneFiles(const Settings& settings, const io::Services& services)
      : services_(services),
        directory_(settings.text("directory")),
        pattern_((fs::path(directory_) / settings.text("path", "{zone}.zone")).string()),
        include_directory_(settings.text("include_directory", directory_)),
        listed_(settings.list("zones")),
        reload_(settings.list("reload")),
        capabilities_(zonefile_capabilities()) {}

  const Capabilities& capabilities() const override { return capabilities_; }

  std::vector<Result<dns::Name>> find_zones(const std::vector<dns::Name>& names,
                                            const Watch& /*watch*/) override {
    const Found& found = zones();
    std::vector<Result<dns::Name>> results;
    results.reserve(names.size());
    for (const dns::Name& name : names)
      results.push_back(find_zone(found, name));
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
    const Result<std::string> path = path_of(zone);
    if (!path) return fail(path);
    // Other runs of stsctl wait here; other programs are noticed by the re-read.
    const auto lock = services_.files.lock(fs::path(*path).parent_path().string());
    if (!lock) return fail(lock);
    const Result<Zone> live = load(zone, *path);
    if (!live) return fail(live);
    if (const Result<Done> expected = check_before(*live, edits); !expected) return expected;
    const auto texts = edit_zone(*live, edits, services_.clock.now());
    if (!texts) return fail(texts);
    if (texts->empty()) return Done{};
    if (const Result<Done> ours = check_editable(*live, *texts); !ours) return ours;
    if (const Result<Done> stored = store(*texts, *path); !stored) return stored;
    const Result<Done> reloaded = reload(zone);
    return reloaded ? reloaded : take_back(*live, *texts, reloaded.error());
  }

 private:
  struct Found {
    Result<ZonePaths> paths;
    std::vector<dns::Name> names;  // sorted
  };

  const Found& zones() {
    std::call_once(found_once_, [&] {
      found_.paths = discover(pattern_, listed_, services_.files);
      if (!found_.paths) return;
      for (const auto& [name, paths] : *found_.paths)
        found_.names.push_back(name);
    });
    return found_;
  }

  Result<dns::Name> find_zone(const Found& found, const dns::Name& name) const {
    if (!found.paths) return fail(found.paths);
    const dns::Name* zone = dns::longest_zone(found.names, name);
    if (zone == nullptr)
      return fail(Code::not_found, fmt::format("no zone file in {} holds this name", directory_),
                  name.text(), "add the file, or name another 'dns' account for the domain");
    if (const auto one = only_path(*zone, found.paths->at(*zone)); !one) return fail(one);
    return *zone;
  }

  static Result<std::string> only_path(const dns::Name& zone,
                                       const std::vector<std::string>& paths) {
    if (paths.size() == 1) return paths.front();
    return fail(Code::conflict,
                fmt::format("both {} and {} stand for the zone {}", printable(paths[0]),
                            printable(paths[1]), zone.text()),
                zone.text(), "keep the one that the server reads");
  }

  Result<std::string> path_of(const dns::Name& zone) {
    const Found& found = zones();
    if (!found.paths) return fail(found.paths);
    const auto paths = found.paths->find(zone);
    return paths == found.paths->end() ? filled(pattern_, zone) : only_path(zone, paths->second);
  }

  bool exists(const std::string& path) const {
    const auto found = services_.files.glob(glob_quoted(path));
    return !found || !found->empty();
  }

  // BIND keeps a journal of what it changed itself, and the file is behind it. Beside the unsigned
  // file of a zone that BIND signs inline, a journal only repeats what the file said.
  bool has_journal(const std::string& path) const { return exists(path + ".jnl"); }
  bool is_signed_inline(const std::string& path) const { return exists(path + ".signed"); }

  Result<Zone> load(const dns::Name& zone, const std::string& path) const {
    if (has_journal(path) && !is_signed_inline(path))
      return fail(
          Code::unsupported,
          fmt::format("the server changes this zone by itself ({}.jnl is its journal): the "
                      "file is not what it serves",
                      fs::path(path).filename().string()),
          path,
          fmt::format("use the rfc2136 provider for it; or 'rndc freeze {0}' and 'rndc sync "
                      "-clean {0}' first, 'rndc thaw {0}' afterwards",
                      zone.text()));
    return read_zone(zone, path, include_directory_, [&](const std::string& file) {
      return services_.files.read(file, longest_file);
    });
  }

  Result<std::vector<dns::RecordSet>> read_sets(const ZoneQuery& query) {
    const Result<std::string> path = path_of(query.zone);
    if (!path) return fail(path);
    const Result<Zone> zone = load(query.zone, *path);
    if (!zone) return fail(zone);
    return record_sets(*zone, query.owners);
  }

  static Result<Done> check_before(const Zone& live, const std::vector<plan::RecordEdit>& edits) {
    std::vector<dns::Name> owners;
    for (const plan::RecordEdit& edit : edits)
      owners.push_back(subject(edit).owner);
    const auto sets = record_sets(live, owners);
    if (!sets) return fail(sets);
    return check_expected(*sets, edits);
  }

  // Would the server take the new files, and nobody else have them changed?
  Result<Done> check_editable(const Zone& live, const std::map<std::string, std::string>& texts) {
    if (const auto seal = first_seal(live))
      return fail(Code::unsupported,
                  fmt::format("the zone is signed or digested in its file ({}): an edit would make "
                              "validators reject it",
                              live.at(*seal).type),
                  live.where(*seal),
                  "let the server sign the zone, and keep the unsigned file here");
    const std::string& main = live.files.front().path;
    const bool reloads_zone = std::ranges::any_of(reload_, [](const std::string& argument) {
      return argument.find(placeholder) != std::string::npos;
    });
    if (has_journal(main) && !reloads_zone)
      return fail(Code::unsupported,
                  "the server signs this zone and keeps a journal: unless told at once that the "
                  "file changed, it will not load it later",
                  main, "set reload: [rndc, reload, \"{zone}\"] for this account");
    const fs::path tree = fs::path(directory_).lexically_normal();
    for (const auto& [path, text] : texts) {
      if (fs::path(path).lexically_normal().lexically_relative(tree).string().starts_with(".."))
        return fail(Code::refused, "the record stands in an included file outside the directory",
                    path, "move the record, or give this account the folder above both");
      if (path != main)
        if (const Result<Done> only = check_unshared(live.name, path); !only) return only;
    }
    return Done{};
  }

  // A file that other zones include too would change them, with their serials as they were.
  Result<Done> check_unshared(const dns::Name& zone, const std::string& path) {
    std::call_once(includers_once_, [&] { find_includers(); });
    const auto found = includers_.find(fs::path(path).lexically_normal().string());
    if (found == includers_.end()) return Done{};
    for (const dns::Name& other : found->second)
      if (other != zone)
        return fail(Code::refused,
                    fmt::format("the record stands in a file that {} includes too", other.text()),
                    path, "move the record to a file of its own zone");
    return Done{};
  }

  void find_includers() {
    for (const dns::Name& zone : zones().names) {
      const Result<std::string> path = path_of(zone);
      const Result<Zone> read = path ? load(zone, *path) : fail(path);
      if (!read) continue;  // its server has not loaded it either
      for (const ZoneFile& file : read->files)
        includers_[fs::path(file.path).lexically_normal().string()].insert(zone);
    }
  }

  Result<Done> store(const std::map<std::string, std::string>& texts,
                     const std::string& main) const {
    // The main file last: its new serial is what tells servers to look.
    for (const auto& [path, text] : texts) {
      if (path == main) continue;
      if (const Result<Done> done = services_.files.replace(path, text, false); !done) return done;
    }
    const auto found = texts.find(main);
    return found == texts.end() ? Result<Done>(Done{})
                                : services_.files.replace(main, found->second, false);
  }

  // What the server did not load must not stand in the file as if it did: put back, the next plan
  // finds the change still to be made, and the next apply makes it. Returns why it was not loaded.
  Result<Done> take_back(const Zone& live, const std::map<std::string, std::string>& texts,
                         Error error) const {
    error.hint = "the zone file is as it was before; when the command works, run apply again";
    for (const ZoneFile& file : live.files) {
      const auto written = texts.find(file.path);
      if (written == texts.end()) continue;
      const Result<std::string> now = services_.files.read(file.path, longest_file);
      const bool ours = now && *now == written->second;
      if (ours && services_.files.replace(file.path, file.text, false)) continue;
      error.hint = fmt::format(
          "{} has the new records, though the server does not: run the command "
          "by hand when it works",
          file.path);
      break;
    }
    return std::unexpected(std::move(error));
  }

  Result<Done> reload(const dns::Name& zone) const {
    if (reload_.empty()) return Done{};
    std::vector<std::string> argv;
    for (const std::string& argument : reload_)
      argv.push_back(filled(argument, zone));
    const Result<io::Exit> exit = services_.process.run(argv, {}, reload_deadline);
    const std::string where = "reload of " + zone.text();
    if (!exit)
      return fail(exit.error().code, fmt::format("'{}': {}", join(argv, " "), exit.error().what),
                  where);
    if (exit->status == 0) return Done{};
    const std::string said(trim(exit->errors.empty() ? exit->output : exit->errors));
    return fail(Code::internal,
                fmt::format("'{}' ended with status {}: {}", join(argv, " "), exit->status,
                            printable(said.substr(0, 500))),
                where);
  }

  io::Services services_;
  std::string directory_;
  std::string pattern_;
  std::string include_directory_;
  Settings::List listed_;
  Settings::List reload_;
  Capabilities capabilities_;
  std::once_flag found_once_;
  Found found_;
  std::once_flag includers_once_;
  std::map<std::string, std::set<dns::Name>> includers_;  // by file
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
      {.name = "include_directory",
       .type = SettingType::path,
       .description =
           "Folder that relative $INCLUDE paths begin at: the server's working directory "
           "(BIND: options { directory }, NSD: zonesdir).",
       .fallback = "the 'directory'"},
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
