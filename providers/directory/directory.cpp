#include "providers/directory/directory.h"

#include <algorithm>
#include <filesystem>

#include "base/parallel.h"
#include "providers/address.h"
#include "providers/policy_edit.h"
#include "providers/policy_path.h"
#include "providers/reload.h"

namespace stsctl::providers::directory {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_at_once = 4;

class Directory : public PolicyHost {
 public:
  Directory(const Settings& settings, const io::Services& services, PolicyPath path,
            plan::Address address)
      : services_(services),
        root_(settings.text("root")),
        path_(std::move(path)),
        reload_(settings.list("reload")),
        edge_delay_(settings.integer("edge_delay")),
        address_(std::move(address)) {}

  std::vector<Result<std::optional<std::string>>> read(const std::vector<dns::Name>& domains,
                                                       const Watch& watch) override {
    const auto read = [&](const dns::Name& domain) {
      auto body = read_one(domain);
      watch.advanced(1);
      return body;
    };
    auto all = or_cancelled(parallel_map(domains, files_at_once, watch.stop, read), "read");
    if (std::ranges::any_of(all, is_absent)) check_root(all);
    return all;
  }

  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch) override {
    // Other runs of stsctl wait here; other programs are noticed by the re-read.
    const auto lock = services_.files.lock(root_);
    if (!lock) return std::vector<Result<Done>>(edits.size(), fail(lock));
    const auto write = [&](const plan::PolicyEdit& edit) {
      Result<bool> changed = write_one(edit);
      watch.advanced(1);
      return changed;
    };
    const auto changed =
        or_cancelled(parallel_map(edits, files_at_once, watch.stop, write), "written");
    const bool any = std::ranges::any_of(changed, &Result<bool>::has_value);
    const Result<Done> reloaded = any ? reload() : Done{};
    std::vector<Result<Done>> all;
    for (std::size_t i = 0; i < edits.size(); ++i) {
      if (!changed[i])
        all.emplace_back(fail(changed[i]));
      else if (reloaded)
        all.emplace_back(Done{});
      else
        all.push_back(*changed[i] ? take_back(edits[i], reloaded.error()) : reloaded);
    }
    return all;
  }

  std::optional<plan::Address> address(const dns::Name& /*domain*/) const override {
    return if_any(address_);
  }

  Duration edge_delay() const override { return edge_delay_; }

 private:
  std::string path_of(const dns::Name& domain) const {
    return (fs::path(root_) / path_.file(domain)).string();
  }

  Result<std::optional<std::string>> read_one(const dns::Name& domain) const {
    Result<std::string> body = services_.files.read(path_of(domain), longest_body);
    if (body) return std::optional<std::string>(std::move(*body));
    if (body.error().code == Code::not_found) return std::optional<std::string>{};
    return fail(body);
  }

  static bool is_absent(const Result<std::optional<std::string>>& body) { return body && !*body; }

  // Below a root that is not there (a disk that is not mounted) nothing is known to be absent.
  void check_root(std::vector<Result<std::optional<std::string>>>& all) const {
    const auto root = services_.files.state(root_);
    if (root) return;
    for (auto& body : all)
      if (is_absent(body))
        body = fail(root.error().code, root.error().what, root.error().where,
                    "make the folder, or mend 'root'");
  }

  // Was the file changed? Not where it is as wanted already.
  Result<bool> write_one(const plan::PolicyEdit& edit) const {
    const std::string path = path_of(domain_of(edit));
    const Result<std::optional<std::string>> live = read_one(domain_of(edit));
    if (!live) return fail(live);
    const Result<bool> pending = is_pending(edit, *live, path);
    if (!pending || !*pending) return pending;
    if (const Result<Done> put = this->put(path, edit.after); !put) return fail(put);
    return true;
  }

  // A policy that the web server was not told of must be seen by the next plan, which keeps no note
  // of this run; the file is what it sees.
  Result<Done> take_back(const plan::PolicyEdit& edit, Error reload) const {
    const std::string path = path_of(domain_of(edit));
    const Result<std::optional<std::string>> live = read_one(domain_of(edit));
    const std::optional<std::string> ours =
        edit.after ? std::optional(edit.after->body) : std::nullopt;
    if (live && *live == ours && put(path, edit.before))
      reload.hint = "the policy is as it was before; when the command works, run apply again";
    else
      reload.hint = "the policy is written, and the web server not told; run the command by hand";
    return std::unexpected(std::move(reload));
  }

  Result<Done> put(const std::string& path, const std::optional<plan::PolicyFile>& policy) const {
    return policy ? services_.files.replace(path, policy->body, true) : remove(path);
  }

  Result<Done> remove(const std::string& path) const {
    if (const Result<Done> done = services_.files.remove(path); !done) return done;
    const fs::path root = fs::path(root_).lexically_normal();
    for (fs::path folder = fs::path(path).lexically_normal().parent_path();
         folder.string().size() > root.string().size(); folder = folder.parent_path())
      if (const Result<Done> done = services_.files.remove_empty_folder(folder.string()); !done)
        return done;
    return Done{};
  }

  Result<Done> reload() const { return run_reload(services_.process, reload_, ""); }

  io::Services services_;
  std::string root_;
  PolicyPath path_;
  Settings::List reload_;
  Duration edge_delay_;
  plan::Address address_;
};

std::vector<SettingSpec> settings() {
  return {
      {.name = "root",
       .type = SettingType::path,
       .description = "The folder that the web server serves from; it must exist.",
       .required = true},
      path_setting(),
      address_setting(),
      reload_setting(),
      edge_delay_setting(),
  };
}

Result<std::unique_ptr<PolicyHost>> open(const Settings& settings, const io::Services& services) {
  Result<PolicyPath> path = PolicyPath::read(settings);
  if (!path) return fail(path);
  Result<plan::Address> address = read_address(settings);
  if (!address) return fail(address);
  return std::make_unique<Directory>(settings, services, std::move(*path), std::move(*address));
}

}  // namespace

HostKind kind() {
  return {"directory", "A web root on this machine, served by any web server", settings(), open};
}

}  // namespace stsctl::providers::directory
