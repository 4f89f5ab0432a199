#include "providers/directory/directory.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "providers/address.h"

namespace stsctl::providers::directory {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_at_once = 4;
constexpr std::size_t longest_body = std::size_t{1} << 20U;
constexpr Duration reload_deadline{60};
constexpr const char* placeholder = "{domain}";
constexpr const char* default_path = "mta-sts.{domain}/.well-known/mta-sts.txt";

class Directory : public PolicyHost {
 public:
  Directory(const Settings& settings, const io::Services& services, plan::Address address)
      : services_(services),
        root_(settings.text("root")),
        pattern_(settings.text("path", default_path)),
        reload_(settings.list("reload")),
        edge_delay_(settings.integer("edge_delay")),
        address_(std::move(address)) {}

  std::vector<Result<std::optional<std::string>>> read(const std::vector<dns::Name>& domains,
                                                       const Watch& watch) override {
    const auto results =
        parallel_map(domains, files_at_once, watch.stop, [&](const dns::Name& domain) {
          auto body = read_one(domain);
          watch.advanced(1);
          return body;
        });
    std::vector<Result<std::optional<std::string>>> all;
    for (const auto& result : results)
      all.push_back(result ? *result : fail(Code::cancelled, "stopped before it was read"));
    return all;
  }

  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch) override {
    // Other runs of stsctl wait here; other programs are noticed by the re-read.
    const auto lock = services_.files.lock(root_);
    if (!lock) return std::vector<Result<Done>>(edits.size(), fail(lock));
    const auto results =
        parallel_map(edits, files_at_once, watch.stop, [&](const plan::PolicyEdit& edit) {
          Result<Done> done = write_one(edit);
          watch.advanced(1);
          return done;
        });
    std::vector<Result<Done>> all;
    bool any = false;
    for (const auto& result : results) {
      all.push_back(result ? *result : fail(Code::cancelled, "stopped before it was written"));
      any = any || all.back();
    }
    if (const Result<Done> reloaded = any ? reload() : Done{}; !reloaded)
      for (Result<Done>& result : all)
        if (result) result = reloaded;
    return all;
  }

  std::optional<plan::Address> address(const dns::Name& /*domain*/) const override {
    if (!address_.cname && address_.a.empty() && address_.aaaa.empty()) return std::nullopt;
    return address_;
  }

  Duration edge_delay() const override { return edge_delay_; }

 private:
  std::string path_of(const dns::Name& domain) const {
    std::string path = pattern_;
    for (std::size_t at = path.find(placeholder); at != std::string::npos;
         at = path.find(placeholder, at + domain.text().size()))
      path.replace(at, std::string_view(placeholder).size(), domain.text());
    return (fs::path(root_) / path).string();
  }

  Result<std::optional<std::string>> read_one(const dns::Name& domain) const {
    Result<std::string> body = services_.files.read(path_of(domain), longest_body);
    if (body) return std::optional<std::string>(std::move(*body));
    if (body.error().code == Code::not_found) return std::optional<std::string>{};
    return fail(body);
  }

  Result<Done> write_one(const plan::PolicyEdit& edit) const {
    const dns::Name& domain = edit.after ? edit.after->domain : edit.before->domain;
    const auto body = [](const std::optional<plan::PolicyFile>& file) {
      return file ? std::optional<std::string>(file->body) : std::nullopt;
    };
    const Result<std::optional<std::string>> live = read_one(domain);
    if (!live) return fail(live);
    if (*live == body(edit.after)) return Done{};
    const std::string path = path_of(domain);
    if (*live != body(edit.before))
      return fail(Code::conflict, "the policy file changed since it was read", path,
                  "run plan again to see what is there");
    if (edit.after) return services_.files.replace(path, edit.after->body, true);
    return remove(path);
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

  Result<Done> reload() const {
    if (reload_.empty()) return Done{};
    const Result<io::Exit> exit = services_.process.run(reload_, {}, reload_deadline);
    if (!exit) return fail_at(exit, "reload");
    if (exit->status == 0) return Done{};
    const std::string said(trim(exit->errors.empty() ? exit->output : exit->errors));
    return fail(Code::internal,
                fmt::format("'{}' ended with status {}: {}", join(reload_, " "), exit->status,
                            printable(said.substr(0, 500))),
                "reload", "the policies are written; the web server has not been reloaded");
  }

  io::Services services_;
  std::string root_;
  std::string pattern_;
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
      {.name = "path",
       .type = SettingType::text,
       .description = "File of a policy below the root; {domain} stands for the mail domain.",
       .fallback = default_path},
      address_setting(),
      {.name = "reload",
       .type = SettingType::list,
       .description = "Program and arguments run once after policies changed, without a shell."},
      {.name = "edge_delay",
       .type = SettingType::duration,
       .description = "How long a cache in front may still serve an older policy.",
       .fallback = "0s",
       .most = 31557600},
  };
}

// A template that leaves the root, or is the same file for every domain, is a mistake.
std::string path_fault(const std::string& pattern) {
  if (pattern.find(placeholder) == std::string::npos) return "'path' must hold {domain}";
  if (pattern.starts_with('/')) return "'path' is taken below 'root' and cannot begin with '/'";
  for (const std::string_view part : split(pattern, '/'))
    if (part == "..") return "'path' must stay below 'root': no '..'";
  return {};
}

Result<std::unique_ptr<PolicyHost>> open(const Settings& settings, const io::Services& services) {
  if (std::string fault = path_fault(settings.text("path", default_path)); !fault.empty())
    return fail(Code::invalid, std::move(fault), settings.where("path"));
  Result<plan::Address> address = read_address(settings);
  if (!address) return fail(address);
  return std::make_unique<Directory>(settings, services, std::move(*address));
}

}  // namespace

HostKind kind() {
  return {"directory", "A web root on this machine, served by any web server", settings(), open};
}

}  // namespace stsctl::providers::directory
