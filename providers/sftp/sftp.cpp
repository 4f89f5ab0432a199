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

constexpr std::size_t usual_sessions = 10;  // what sshd grants (MaxSessions)
constexpr std::size_t files_worth_one = 4;  // opening a session takes as long as a few files
constexpr const char* usual_mode = "0644";
constexpr const char* servers_mode = "server";

struct Options {
  Login login;
  std::string root;
  PolicyPath path;
  Finish finish;
  std::size_t sessions = usual_sessions;
  plan::Address address;
  Duration edge_delay{0};
};

class Sftp final : public PolicyHost {
 public:
  Sftp(Options options, const io::Services& services)
      : options_(std::move(options)), services_(services) {}

  std::vector<Result<Body>> read(const std::vector<dns::Name>& domains,
                                 const Watch& watch) override {
    if (domains.empty()) return {};
    const auto connection = connect(domains.size(), watch.stop);
    if (!connection) return std::vector<Result<Body>>(domains.size(), fail(connection));
    const auto one = [&](Session& session, const dns::Name& domain) {
      Result<Body> body = read_one(session, domain, watch.stop);
      watch.advanced(1);
      return body;
    };
    return or_cancelled((*connection)->each(domains, watch.stop, one), "read");
  }

  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch) override {
    if (edits.empty()) return {};
    const auto connection = connect(edits.size(), watch.stop);
    if (!connection) return std::vector<Result<Done>>(edits.size(), fail(connection));
    // Once begun, an edit is carried through: cut off, nobody would know whether it was.
    const auto one = [&](Session& session, const plan::PolicyEdit& edit) {
      Result<Done> done = write_one(session, edit);
      watch.advanced(1);
      return done;
    };
    auto results = or_cancelled((*connection)->each(edits, watch.stop, one), "written");
    look_up_lost(edits, results);
    return results;
  }

  std::optional<plan::Address> address(const dns::Name& /*domain*/) const override {
    return if_any(options_.address);
  }

  Duration edge_delay() const override { return options_.edge_delay; }

 private:
  Result<std::unique_ptr<Connection>> connect(std::size_t files,
                                              const std::stop_token& stop) const {
    const std::size_t worth = (files + files_worth_one - 1) / files_worth_one;
    auto connection =
        Connection::open(options_.login, std::min(options_.sessions, worth), services_, stop);
    if (!connection) return fail(connection);
    const auto checked = (*connection)
                             ->each(std::vector<std::string>{options_.root}, stop,
                                    [&](Session& session, const std::string& root) {
                                      return check_root(session, root, stop);
                                    });
    if (!checked.front()) return fail(Code::cancelled, "stopped");
    if (!*checked.front()) return fail(*checked.front());
    return connection;
  }

  Result<Place> place_of(const dns::Name& domain) const {
    return place(options_.root, options_.path.file(domain), run_);
  }

  Result<Body> read_one(Session& session, const dns::Name& domain,
                        const std::stop_token& stop) const {
    const Result<Place> place = place_of(domain);
    return place ? sftp::read(session, *place, longest_body, stop) : fail(place);
  }

  Result<Done> write_one(Session& session, const plan::PolicyEdit& edit) const {
    const Result<Place> place = place_of(domain_of(edit));
    if (!place) return fail(place);
    if (!edit.after) return remove_one(session, edit, *place);
    return edit.before ? replace_one(session, edit, *place) : create_one(session, edit, *place);
  }

  // A new file is compared by the server: it takes no place that is taken.
  Result<Done> create_one(Session& session, const plan::PolicyEdit& edit,
                          const Place& place) const {
    Result<Done> done = upload_new(session, place, edit.after->body, options_.finish);
    const bool uploaded = done.has_value();
    if (uploaded) done = claim(session, place);
    if (done || !session.is_usable()) return done;
    return settle(session, edit, place,
                  {uploaded ? Done{} : done, sftp::read(session, place, longest_body, {})});
  }

  // To replace a file there is no compare-and-swap. The new body is uploaded beside before anybody
  // looks, so that between the look and the rename lies nothing but the comparison.
  Result<Done> replace_one(Session& session, const plan::PolicyEdit& edit,
                           const Place& place) const {
    return settle(session, edit, place,
                  upload_and_read(session, place, edit.after->body, options_.finish, longest_body));
  }

  static Result<Done> settle(Session& session, const plan::PolicyEdit& edit, const Place& place,
                             const Staged& staged) {
    const Result<bool> pending =
        staged.live ? is_pending(edit, *staged.live, place.path) : fail(staged.live);
    if (pending && *pending && staged.uploaded) return commit(session, place);
    if (session.is_usable()) discard(session, place);
    if (!pending) return fail(pending);
    return *pending ? staged.uploaded : Done{};
  }

  static Result<Done> remove_one(Session& session, const plan::PolicyEdit& edit,
                                 const Place& place) {
    const Result<Body> live = sftp::read(session, place, longest_body, {});
    if (!live) return fail(live);
    const Result<bool> pending = is_pending(edit, *live, place.path);
    if (!pending) return fail(pending);
    return *pending ? remove(session, place) : Done{};
  }

  // What was under way when a connection broke may be there.
  void look_up_lost(const std::vector<plan::PolicyEdit>& edits,
                    std::vector<Result<Done>>& results) {
    std::vector<std::size_t> lost;
    std::vector<dns::Name> domains;
    for (std::size_t i = 0; i < edits.size(); ++i) {
      if (results[i] || (results[i].error().code != Code::unreachable &&
                         results[i].error().code != Code::timeout))
        continue;
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
       .description = "Files under way at once, over one connection. 1: no sharing of a connection "
                      "but what ssh's configuration asks for.",
       .fallback = std::to_string(usual_sessions),
       .least = 1,
       .most = 64},
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
  if (const auto sayable = place(*root, probe, {}); !sayable)
    return fail_at(sayable, settings.where("root"));
  options = {.login = std::move(*login),
             .root = std::move(*root),
             .path = std::move(*path),
             .finish = {.mode = *mode, .sync = settings.boolean("sync")},
             .sessions = static_cast<std::size_t>(
                 settings.integer("sessions", std::int64_t{usual_sessions})),
             .address = std::move(*address),
             .edge_delay = Duration(settings.integer("edge_delay"))};
  return std::make_unique<Sftp>(std::move(options), services);
}

}  // namespace

HostKind kind() {
  return {"sftp", "A web root on another machine, through OpenSSH's sftp", settings(), open};
}

}  // namespace stsctl::providers::sftp
