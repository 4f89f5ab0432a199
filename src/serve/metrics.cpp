#include "serve/metrics.h"

#include <functional>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace stsctl::serve {

namespace {

using Number = std::atomic<std::uint64_t>;

// A label's value: the format's three escapes.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string_view("\\n") : std::string_view(&c, 1);
  }
  return out;
}

class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(to(), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }

  void sample(std::string_view labels, std::uint64_t value) {
    if (labels.empty())
      fmt::format_to(to(), "{} {}\n", name_, value);
    else
      fmt::format_to(to(), "{}{{{}}} {}\n", name_, labels, value);
  }

  std::string take() { return std::move(text_); }

 private:
  std::back_insert_iterator<std::string> to() { return std::back_inserter(text_); }

  std::string text_;
  std::string name_;
};

std::string label(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, escaped(value));
}

std::uint64_t seconds(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

struct ListenerFamily {
  const char* name;
  const char* type;
  const char* help;
  Number Counters::* number;
};

constexpr std::array listener_families{
    ListenerFamily{"stsctl_connections", "gauge", "Connections open now.", &Counters::open},
    ListenerFamily{"stsctl_connections_total", "counter", "Connections accepted.",
                   &Counters::accepted},
    ListenerFamily{"stsctl_connections_refused_total", "counter",
                   "Connections closed at once because too many were open.", &Counters::refused},
    ListenerFamily{"stsctl_connections_evicted_total", "counter",
                   "Idle connections closed to make room for others.", &Counters::evicted},
    ListenerFamily{"stsctl_connections_timed_out_total", "counter",
                   "Connections cut at a deadline.", &Counters::timed_out},
    ListenerFamily{"stsctl_tls_handshakes_failed_total", "counter",
                   "TLS handshakes that failed or were refused.", &Counters::handshakes_failed}};

void add_requests(Exposition& text, const std::vector<ListenerCounters>& listeners) {
  text.family("stsctl_requests_total", "counter", "Requests answered, by status.");
  for (const ListenerCounters& listener : listeners)
    for (const auto& [status, count] : listener.counters->requests())
      text.sample(fmt::format("{},status=\"{}\"", label("listener", listener.name), status), count);
}

void add_gauges(Exposition& text, const Gauges& gauges) {
  text.family("stsctl_policies", "gauge", "Policies served.");
  text.sample("", gauges.policies);
  text.family("stsctl_configuration_reloads_total", "counter", "Reloads, by result.");
  text.sample("result=\"ok\"", gauges.reloads);
  text.sample("result=\"failed\"", gauges.failed_reloads);
  text.family("stsctl_configuration_last_reload_successful", "gauge",
              "0 while an old configuration is served because the new one is faulty.");
  text.sample("", gauges.last_reload_failed ? 0 : 1);
  text.family("stsctl_configuration_loaded_timestamp_seconds", "gauge",
              "When the configuration that is served was read.");
  text.sample("", seconds(gauges.loaded));
  text.family("stsctl_certificate_expiry_timestamp_seconds", "gauge",
              "When a certificate ends, by its first name.");
  for (const auto& [name, expiry] : gauges.certificate_expiry)
    text.sample(label("name", name), seconds(expiry));
  text.family("stsctl_access_log_lines_lost_total", "counter",
              "Lines not written because the log's reader or disk was too slow.");
  text.sample("", gauges.log_lines_lost);
  text.family("stsctl_start_timestamp_seconds", "gauge", "When the server started.");
  text.sample("", seconds(gauges.started));
  text.family("stsctl_build_info", "gauge", "1, with the version.");
  text.sample(label("version", gauges.version), 1);
}

}  // namespace

void Counters::count(int status) {
  if (status < first_status || status > last_status) return;
  requests_[static_cast<std::size_t>(status - first_status)].fetch_add(1,
                                                                       std::memory_order_relaxed);
}

std::map<int, std::uint64_t> Counters::requests() const {
  std::map<int, std::uint64_t> all;
  for (std::size_t i = 0; i < requests_.size(); ++i)
    if (const std::uint64_t count = requests_[i].load(std::memory_order_relaxed); count > 0)
      all.emplace(first_status + static_cast<int>(i), count);
  return all;
}

std::string metrics_text(const std::vector<ListenerCounters>& listeners, const Gauges& gauges) {
  Exposition text;
  add_requests(text, listeners);
  for (const ListenerFamily& family : listener_families) {
    text.family(family.name, family.type, family.help);
    for (const ListenerCounters& listener : listeners)
      text.sample(label("listener", listener.name), (listener.counters->*family.number).load());
  }
  add_gauges(text, gauges);
  return text.take();
}

}  // namespace stsctl::serve
