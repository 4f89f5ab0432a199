#include "providers/sftp/sftp.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/random.h"
#include "providers/address.h"
#include "providers/policy_edit.h"
#include "providers/policy_path.h"
#include "providers/sftp/remote_file.h"
#include "providers/sftp/session.h"

namespace stsctl::providers::sftp {

namespace {

using Body = std::optional<std::string>;

constexpr std::int64_t usual_files_at_once = 64;
constexpr const char* usual_mode = "0644";
constexpr const char* servers_mode = "server";

struct Options {
  Login login;
  std::string root;
  PolicyPath path;
  Finish finish;
  std::size_t files_at_once = usual_files_at_once;
  plan::Address address;
  Duration edge_delay{0};
};

// How a session breaks; no answer of a server is told so.
bool is_of_the_session(Code code) {
  return code == Code::unreachable || code == Code::timeout || code == Code::protocol;
}

class Sftp final : public PolicyHost {
 public:
  Sftp(Options options, const io::Services& services)
      : options_(std::move(options)), services_(services) {}

  std::vector<Result<Body>> read(const std::vector<dns::Name>& domains,
                                 const Watch& watch) override {
    if (domains.empty()) return {};
    const auto session = connect(watch.stop);
    if (!session) return std::vector<Result<Body>>(domains.size(), fail(session));
    const auto one = [&](const dns::Name& domain) { return read_one(**session, domain, watch); };
    return or_cancelled(
        (*session)->each(domains, options_.files_at_once, watch.stop, OnStop::abandon, one),
        "read");
  }

  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch) override {
    if (edits.empty()) return {};
    const auto session = connect(watch.stop);
    if (!session) return std::vector<Result<Done>>(edits.size(), fail(session));
    if (options_.finish.sync && !(*session)->greeting().fsync)
      return std::vector<Result<Done>>(edits.size(), cannot_flush());
    const auto one = [&](const plan::PolicyEdit& edit) {
      return write_one(**session, edit, watch);
    };
    // Once begun, an edit is carried through: cut off, nobody would know whether it was.
    auto results = or_cancelled(
        (*session)->each(edits, options_.files_at_once, watch.stop, OnStop::finish, one),
        "written");
    look_up_lost(edits, results);
    return results;
  }

  std::optional<plan::Address> address(const dns::Name& /*domain*/) const override {
    return if_any(options_.address);
  }

  Duration edge_delay() const override { return options_.edge_delay; }

 private:
  Result<std::unique_ptr<Session>> connect(const std::stop_token& stop) const {
    Result<std::unique_ptr<Session>> session = Session::open(options_.login, services_, stop);
    if (!session) return session;
    const auto look = [&](const std::string& root) { return check_root(**session, root); };
    const auto looked =
        (*session)->each(std::vector{options_.root}, 1, stop, OnStop::abandon, look);
    if (!looked.front()) return fail(Code::cancelled, "stopped");
    if (!*looked.front()) return fail(*looked.front());
    return session;
  }

  std::unexpected<Error> cannot_flush() const {
    return fail(Code::unsupported, "the server cannot flush files (fsync@openssh.com)",
                "sftp " + options_.login.host, "leave 'sync' out");
  }

  Result<Place> place_of(const dns::Name& domain) const {
    return place(options_.login, options_.root, options_.path.file(domain), run_);
  }

  Task<Result<Body>> read_one(Session& session, const dns::Name& domain, const Watch& watch) const {
    const Result<Place> place = place_of(domain);
    if (!place) co_return fail(place);
    Task<Result<Body>> reading = sftp::read(session, *place, longest_body);
    Result<Body> body = co_await reading;
    watch.advanced(1);
    co_return body;
  }

  Task<Result<Done>> write_one(Session& session, const plan::PolicyEdit& edit,
                               const Watch& watch) const {
    const Result<Place> place = place_of(domain_of(edit));
    if (!place) co_return fail(place);
    Task<Result<Done>> writing = !edit.after   ? remove_one(session, edit, *place)
                                 : edit.before ? replace_one(session, edit, *place)
                                               : create_one(session, edit, *place);
    Result<Done> written = co_await writing;
    watch.advanced(1);
    co_return written;
  }

  // A new file is compared by the server: it takes no place that is taken.
  Task<Result<Done>> create_one(Session& session, const plan::PolicyEdit& edit,
                                const Place& place) const {
    Task<Result<Done>> uploading = upload_new(session, place, edit.after->body, options_.finish);
    const Result<Done> uploaded = co_await uploading;
    if (uploaded) {
      Task<Result<Done>> claiming = claim(session, place);
      Result<Done> claimed = co_await claiming;
      if (claimed) co_return claimed;
    }
    Task<Result<Body>> reading = sftp::read(session, place, longest_body);
    Result<Body> live = co_await reading;
    const Staged staged{uploaded, std::move(live)};
    Task<Result<Done>> settling = settle(session, edit, place, staged);
    co_return co_await settling;
  }

  // To replace a file there is no compare-and-swap. The new body is uploaded beside before anybody
  // looks, so that between the look and the rename lies nothing but the comparison.
  Task<Result<Done>> replace_one(Session& session, const plan::PolicyEdit& edit,
                                 const Place& place) const {
    Task<Staged> staging =
        upload_and_read(session, place, edit.after->body, options_.finish, longest_body);
    const Staged staged = co_await staging;
    Task<Result<Done>> settling = settle(session, edit, place, staged);
    co_return co_await settling;
  }

  static Task<Result<Done>> settle(Session& session, const plan::PolicyEdit& edit,
                                   const Place& place, const Staged& staged) {
    const Result<bool> pending =
        staged.live ? is_pending(edit, *staged.live, place.where) : fail(staged.live);
    if (pending && *pending && staged.uploaded) {
      Task<Result<Done>> committing = commit(session, place);
      co_return co_await committing;
    }
    Task<Done> discarding = discard(session, place);
    co_await discarding;
    if (!pending) co_return fail(pending);
    if (*pending) co_return staged.uploaded;
    co_return Done{};
  }

  static Task<Result<Done>> remove_one(Session& session, const plan::PolicyEdit& edit,
                                       const Place& place) {
    Task<Result<Body>> reading = sftp::read(session, place, longest_body);
    const Result<Body> live = co_await reading;
    if (!live) co_return fail(live);
    const Result<bool> pending = is_pending(edit, *live, place.where);
    if (!pending) co_return fail(pending);
    if (!*pending) co_return Done{};
    Task<Result<Done>> removing = remove(session, place);
    co_return co_await removing;
  }

  // What was under way when a connection broke may be there.
  void look_up_lost(const std::vector<plan::PolicyEdit>& edits,
                    std::vector<Result<Done>>& results) {
    std::vector<std::size_t> lost;
    std::vector<dns::Name> domains;
    for (std::size_t i = 0; i < edits.size(); ++i) {
      if (results[i] || !is_of_the_session(results[i].error().code)) continue;
      lost.push_back(i);
      domains.push_back(domain_of(edits[i]));
    }
    const std::vector<Result<Body>> now = read(domains, {.stop = services_.stop, .advance = {}});
    for (std::size_t n = 0; n < lost.size(); ++n) {
      const plan::PolicyEdit& edit = edits[lost[n]];
      Result<Done>& result = results[lost[n]];
      const Result<bool> pending =
          now[n] ? is_pending(edit, *now[n], result.error().where) : fail(now[n]);
      if (pending && !*pending)
        result = Done{};
      else
        result.error().hint = now[n] ? "it is not written; run apply again"
                                     : "whether it is written is unknown; run plan again";
    }
  }

  const Options options_;
  const io::Services services_;
  const std::string run_ = random_word();
};

std::vector<SettingSpec> settings() {
  return {
      {.name = "host",
       .type = SettingType::text,
       .description = "Name or address of the server, or a Host of ssh's configuration.",
       .required = true},
      {.name = "port",
       .type = SettingType::integer,
       .description = "Its port.",
       .fallback = "as ssh's configuration says",
       .least = 1,
       .most = 65535},
      {.name = "user",
       .type = SettingType::text,
       .description = "Whom to log in as.",
       .fallback = "as ssh's configuration says"},
      {.name = "identity",
       .type = SettingType::path,
       .description = "File of the private key.",
       .fallback = "as ssh's configuration says, and the agent"},
      {.name = "known_hosts",
       .type = SettingType::path,
       .description = "File of the only host keys to trust.",
       .fallback = "ssh's own"},
      {.name = "ssh_config",
       .type = SettingType::path,
       .description = "Configuration file of ssh in place of its own.",
       .fallback = "ssh's own"},
      {.name = "root",
       .type = SettingType::text,
       .description = "The folder on the server that the web server serves from; it must exist. "
                      "A relative one begins where the login begins.",
       .required = true},
      path_setting(),
      {.name = "mode",
       .type = SettingType::text,
       .description = "Permissions of a policy file in octal, or 'server': what the server gives.",
       .fallback = usual_mode},
      {.name = "sync",
       .type = SettingType::boolean,
       .description = "Have the server flush each file to its disk before it takes its place.",
       .fallback = "false"},
      {.name = "sessions",
       .type = SettingType::integer,
       .description = "Files under way at once, over one connection.",
       .fallback = std::to_string(usual_files_at_once),
       .least = 1,
       .most = 256},
      {.name = "timeout",
       .type = SettingType::duration,
       .description = "How long the server may take to let us in, and to answer.",
       .fallback = "30s",
       .least = 1,
       .most = 3600},
      address_setting(),
      edge_delay_setting(),
  };
}

Result<std::optional<unsigned>> read_mode(const Settings& settings) {
  const std::string text = settings.text("mode", usual_mode);
  if (text == servers_mode) return std::optional<unsigned>{};
  unsigned mode = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || mode > 0777 ||
      (mode & 0600U) != 0600U)
    return fail(Code::invalid, "'mode' is octal like 0644 and lets the owner read and write",
                settings.where("mode"));
  return std::optional(mode);
}

Result<std::string> read_root(const Settings& settings) {
  std::string root = settings.text("root");
  while (root.size() > 1 && root.ends_with('/'))
    root.pop_back();
  if (root.empty()) return fail(Code::invalid, "'root' is empty", settings.where("root"));
  if (root.starts_with('~'))
    return fail(Code::invalid, "'~' is not expanded on the server", settings.where("root"),
                "a relative 'root' begins where the login begins: leave '~/' out");
  return root;
}

Result<std::unique_ptr<PolicyHost>> open(const Settings& settings, const io::Services& services) {
  Options options;
  Result<Login> login = read_login(settings);
  if (!login) return fail(login);
  Result<std::string> root = read_root(settings);
  if (!root) return fail(root);
  Result<PolicyPath> path = PolicyPath::read(settings);
  if (!path) return fail(path);
  const Result<std::optional<unsigned>> mode = read_mode(settings);
  if (!mode) return fail(mode);
  Result<plan::Address> address = read_address(settings);
  if (!address) return fail(address);
  const std::string probe = path->file(*dns::Name::parse("example.com"));
  if (const auto sayable = place(*login, *root, probe, {}); !sayable)
    return fail_at(sayable, settings.where("root"));
  options = {
      .login = std::move(*login),
      .root = std::move(*root),
      .path = std::move(*path),
      .finish = {.mode = *mode, .sync = settings.boolean("sync")},
      .files_at_once = static_cast<std::size_t>(settings.integer("sessions", usual_files_at_once)),
      .address = std::move(*address),
      .edge_delay = Duration(settings.integer("edge_delay"))};
  return std::make_unique<Sftp>(std::move(options), services);
}

}  // namespace

HostKind kind() {
  return {"sftp", "A web root on another machine, through OpenSSH", settings(), open};
}

}  // namespace stsctl::providers::sftp
