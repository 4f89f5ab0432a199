#include <condition_variable>
#include <memory>
#include <mutex>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/serving.h"
#include "cli/session.h"
#include "serve/server.h"

namespace stsctl::cli {

namespace {

constexpr std::chrono::seconds certificate_check{2};
constexpr std::size_t most_names = 5;
constexpr const char* default_listen = "127.0.0.1:8080";

struct ServeOptions {
  std::vector<std::string> listen;
  std::vector<std::string> listen_tls;
  std::string metrics;
  std::string certificates;
  std::string default_certificate;
  std::string access_log = "-";
  std::string log_format = "json";
  std::vector<std::string> trusted;
  std::size_t max_connections = serve::Limits{}.connections;
  std::size_t threads = 0;
  std::string header_timeout = "10s";
  std::string idle_timeout = "60s";
  std::string grace = "10s";
};

// ---- options ----

Result<Done> add_listeners(std::vector<serve::ListenerSetup>& listeners,
                           const std::vector<std::string>& texts, serve::Service service,
                           bool tls) {
  for (const std::string& text : texts) {
    auto address = serve::parse_listen_address(text);
    if (!address) return fail(address);
    listeners.push_back({.address = std::move(*address), .service = service, .tls = tls});
  }
  return Done{};
}

Result<std::vector<serve::ListenerSetup>> listeners_of(const ServeOptions& options) {
  std::vector<serve::ListenerSetup> listeners;
  std::vector<std::string> plain = options.listen;
  if (plain.empty() && options.listen_tls.empty()) plain.emplace_back(default_listen);
  std::vector<std::string> metrics;
  if (!options.metrics.empty()) metrics.push_back(options.metrics);
  using serve::Service;
  for (const Result<Done>& added :
       {add_listeners(listeners, plain, Service::policies, false),
        add_listeners(listeners, options.listen_tls, Service::policies, true),
        add_listeners(listeners, metrics, Service::metrics, false)})
    if (!added) return fail(added);
  if (!options.listen_tls.empty() && options.certificates.empty())
    return fail(Code::invalid, "--listen-tls needs --certificates FOLDER");
  return listeners;
}

Result<serve::Limits> limits_of(const ServeOptions& options) {
  serve::Limits limits{.connections = options.max_connections};
  for (const auto& [text, limit, name] :
       {std::tuple(&options.header_timeout, &limits.header, "--header-timeout"),
        std::tuple(&options.idle_timeout, &limits.idle, "--idle-timeout"),
        std::tuple(&options.grace, &limits.grace, "--grace")}) {
    const Result<Duration> duration = parse_duration(*text);
    if (!duration) return fail_at(duration, name);
    *limit = *duration;
  }
  limits.handshake = limits.write = limits.header;
  return limits;
}

Result<std::vector<serve::Network>> trusted_of(const ServeOptions& options) {
  std::vector<serve::Network> networks;
  for (const std::string& text : options.trusted) {
    const auto network = serve::parse_network(text);
    if (!network) return fail_at(network, "--trusted-proxy");
    networks.push_back(*network);
  }
  return networks;
}

Result<std::unique_ptr<serve::AccessLog>> open_access_log(const ServeOptions& options,
                                                          World& world) {
  if (options.access_log == "off") return nullptr;
  if (options.access_log != "-") return serve::AccessLog::open(options.access_log);
  return std::make_unique<serve::AccessLog>([&out = world.out](std::string_view lines) {
    return static_cast<bool>(out << lines << std::flush);
  });
}

// ---- serving ----

// What the metrics say beside the listeners' counters; read by the server's threads.
class State {
 public:
  explicit State(Time now) { gauges_ = {.started = now, .version = STSCTL_VERSION}; }

  void loaded(Time now, std::size_t policies, bool again) {
    const std::scoped_lock lock(guard_);
    gauges_.loaded = now;
    gauges_.policies = policies;
    gauges_.last_reload_failed = false;
    gauges_.reloads += again ? 1 : 0;
  }

  void failed() {
    const std::scoped_lock lock(guard_);
    ++gauges_.failed_reloads;
    gauges_.last_reload_failed = true;
  }

  serve::Gauges gauges() const {
    const std::scoped_lock lock(guard_);
    return gauges_;
  }

 private:
  mutable std::mutex guard_;
  serve::Gauges gauges_;
};

// Wakes the main thread for SIGHUP, the end, or a look at the certificates.
class Alarm {
 public:
  void ring() {
    const std::scoped_lock lock(guard_);
    rung_ = true;
    changed_.notify_one();
  }
  // Was it rung? False after `patience` or when a stop is requested.
  bool wait(const std::stop_token& stop, std::chrono::seconds patience) {
    std::unique_lock lock(guard_);
    changed_.wait_for(lock, stop, patience, [this] { return rung_; });
    return std::exchange(rung_, false);
  }

 private:
  std::mutex guard_;
  std::condition_variable_any changed_;
  bool rung_ = false;
};

class Serving {
 public:
  // SIGHUP counts from the start: one that came while loading must not end the program.
  Serving(Context& context, const ServeOptions& options)
      : context_(context),
        options_(options),
        services_(context.world.services),
        state_(services_.clock.now()) {
    if (context_.world.on_hangup) context_.world.on_hangup([this] { alarm_.ring(); });
  }
  ~Serving() {
    if (context_.world.on_hangup) context_.world.on_hangup({});
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  int run() {
    const std::optional<config::Config> config = load_config(context_, Secrets::left_out);
    if (!config) return exit_usage;
    if (const auto ready = open(*config); !ready) {
      context_.world.err << "stsctl: " << to_string(ready.error()) << '\n';
      return ready.error().code == Code::invalid ? exit_usage : exit_failed;
    }
    server_->start();
    services_.log.write(io::LogLevel::info,
                        fmt::format("serving {} on {}", count_text(), join(server_->urls(), ", ")));
    warn_of_uncovered();
    work();
    services_.log.write(io::LogLevel::info, "stopping");
    server_->stop();
    return exit_done;
  }

 private:
  Result<Done> open(const config::Config& config) {
    auto listeners = listeners_of(options_);
    if (!listeners) return fail(listeners);
    auto limits = limits_of(options_);
    if (!limits) return fail(limits);
    auto trusted = trusted_of(options_);
    if (!trusted) return fail(trusted);
    auto log = open_access_log(options_, context_.world);
    if (!log) return fail(log);
    access_log_ = std::move(*log);
    if (const auto found = open_certificates(); !found) return fail(found);
    policies_ = served_policies(config, services_, {});
    state_.loaded(services_.clock.now(), policies_->size(), false);
    auto server =
        serve::Server::open({.listeners = std::move(*listeners),
                             .threads = options_.threads,
                             .limits = *limits,
                             .trusted = std::move(*trusted),
                             .log_format = options_.log_format == "json" ? serve::LogFormat::json
                                                                         : serve::LogFormat::common,
                             .access_log = access_log_.get(),
                             .certificates = certificates_.get(),
                             .clock = services_.clock,
                             .log = services_.log,
                             .gauges = [this] { return gauges(); }},
                            policies_);
    if (!server) return fail(server);
    server_ = std::move(*server);
    return Done{};
  }

  Result<Done> open_certificates() {
    if (options_.certificates.empty()) return Done{};
    certificates_ = std::make_unique<serve::CertificateFolder>(
        services_.files, services_.log, options_.certificates, options_.default_certificate);
    const auto found = certificates_->refresh(services_.clock.now());
    if (found && certificates_->size() == 0)
      services_.log.write(io::LogLevel::warn,
                          options_.certificates + ": no certificate found there yet");
    return found;
  }

  // Until a stop is requested.
  void work() {
    while (!context_.world.stop.stop_requested()) {
      if (alarm_.wait(context_.world.stop, certificate_check)) reload();
      refresh_certificates();
    }
  }

  void reload() {
    if (access_log_) access_log_->reopen();
    const std::optional<config::Config> config = load_config(context_, Secrets::left_out);
    if (!config) {
      state_.failed();
      services_.log.write(
          io::LogLevel::error,
          "reload: the configuration is faulty; the policies of before are served on");
      return;
    }
    policies_ = served_policies(*config, services_, policies_);
    state_.loaded(services_.clock.now(), policies_->size(), true);
    server_->set_policies(policies_);
    services_.log.write(io::LogLevel::info, fmt::format("reloaded: serving {}", count_text()));
    warn_of_uncovered();
  }

  void refresh_certificates() {
    if (!certificates_) return;
    const auto found = certificates_->refresh(services_.clock.now());
    const bool fails = !found;
    if (fails && !std::exchange(folder_fails_, fails))
      services_.log.write(io::LogLevel::error, "certificates: " + to_string(found.error()));
    folder_fails_ = fails;
  }

  // A sender cannot fetch a policy whose host name no certificate holds.
  void warn_of_uncovered() {
    if (!certificates_) return;
    std::vector<std::string> names;
    std::size_t count = 0;
    for (const std::string& host : policies_->hosts()) {
      if (certificates_->covers(host)) continue;
      if (++count <= most_names) names.push_back(host);
    }
    if (count > names.size()) names.push_back(fmt::format("{} more", count - names.size()));
    if (count > 0)
      services_.log.write(io::LogLevel::warn,
                          fmt::format("no certificate for {}", join(names, ", ")));
  }

  std::string count_text() const {
    return fmt::format("{} polic{}", policies_->size(), policies_->size() == 1 ? "y" : "ies");
  }

  serve::Gauges gauges() const {
    serve::Gauges gauges = state_.gauges();
    if (certificates_) gauges.certificate_expiry = certificates_->expiry();
    if (access_log_) gauges.log_lines_lost = access_log_->lost();
    return gauges;
  }

  Context& context_;
  const ServeOptions& options_;
  io::Services services_;
  State state_;
  Alarm alarm_;
  std::unique_ptr<serve::AccessLog> access_log_;
  std::unique_ptr<serve::CertificateFolder> certificates_;
  serve::SharedPolicies policies_;
  std::unique_ptr<serve::Server> server_;
  bool folder_fails_ = false;
};

void add_options(CLI::App& command, ServeOptions& options) {
  command
      .add_option("--listen", options.listen,
                  fmt::format("Answer HTTP there, behind a proxy; ADDRESS:PORT, :PORT or fd:N; "
                              "repeatable [{}]",
                              default_listen))
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  command.add_option("--listen-tls", options.listen_tls, "Answer HTTPS there; repeatable")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  command
      .add_option("--certificates", options.certificates,
                  "Folder of certificates and keys for --listen-tls, as certbot and lego lay them "
                  "out; read again when they change")
      ->type_name("FOLDER");
  command
      .add_option("--default-certificate", options.default_certificate,
                  "Answer clients that ask for an unknown name, or none, with the certificate for "
                  "this one; else they are refused")
      ->type_name("NAME");
  command
      .add_option("--metrics", options.metrics,
                  "Answer /metrics there, for Prometheus; nowhere else")
      ->type_name("ADDRESS");
  command.add_option("--access-log", options.access_log, "A file, - for stdout, or off")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_option("--log-format", options.log_format, "Of the access log: json or common")
      ->check(CLI::IsMember({"json", "common"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  command
      .add_option("--trusted-proxy", options.trusted,
                  "Address or network whose X-Forwarded-For is believed; repeatable")
      ->type_name("NETWORK")
      ->allow_extra_args(false);
  command
      .add_option("--max-connections", options.max_connections,
                  "Open at once on each listener; then the longest idle one is closed")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "0: one a processor, at most 8")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command
      .add_option("--header-timeout", options.header_timeout,
                  "For a TLS handshake, a whole request, and taking its answer")
      ->type_name("TIME")
      ->capture_default_str();
  command.add_option("--idle-timeout", options.idle_timeout, "Between two requests")
      ->type_name("TIME")
      ->capture_default_str();
  command.add_option("--grace", options.grace, "For requests under way when the server is stopped")
      ->type_name("TIME")
      ->capture_default_str();
}

}  // namespace

void add_serve(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ServeOptions>();
  CLI::App* command = add_command(
      app, context, "serve",
      "Serve the policies of all domains over HTTP or HTTPS, until SIGTERM; SIGHUP reloads",
      "  stsctl serve --listen-tls :443 --certificates /etc/letsencrypt/live", [&context, options] {
        context.runs_until_stopped = true;
        if (context.globals.log_level.empty())
          context.world.services.log.set_level(io::LogLevel::info);
        return Serving(context, *options).run();
      });
  add_options(*command, *options);
}

}  // namespace stsctl::cli
