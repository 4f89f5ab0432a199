#include "engine/authority.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::engine {

namespace {

using plan::RecordEdit;
using std::chrono::milliseconds;

constexpr std::size_t most_servers = 16;
constexpr Duration usual_patience{300};
constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause{10'000};

io::Question question_of(dns::Type type) {
  switch (type) {
    case dns::Type::a:
      return io::Question::a;
    case dns::Type::aaaa:
      return io::Question::aaaa;
    case dns::Type::cname:
      return io::Question::cname;
    default:
      return io::Question::txt;
  }
}

std::vector<std::string> values_of(const std::optional<dns::RecordSet>& set) {
  return set ? set->values : std::vector<std::string>{};
}

std::string shown(const std::vector<std::string>& values) {
  return values.empty() ? "nothing" : "\"" + printable(join(values, "\", \"")) + "\"";
}

// Whether one server has all edits; an Error says what it has instead.
Result<Done> has_all(const Authority& authority, const std::vector<RecordEdit>& edits,
                     io::Resolver& resolver) {
  for (const RecordEdit& edit : edits) {
    const dns::RecordSet& set = subject(edit);
    const auto answer = resolver.ask(authority.server, set.owner, question_of(set.type));
    if (!answer) return fail(answer);
    if (is_behind(edit, answer->values))
      return fail(Code::conflict, fmt::format("{} [{}] still answers {} at {}", authority.name,
                                              to_string(authority.server), shown(answer->values),
                                              set.owner.text()));
  }
  return Done{};
}

Result<Done> look(const dns::Name& zone, const std::vector<Authority>& servers,
                  const std::vector<RecordEdit>& edits, io::Resolver& resolver) {
  Result<Done> seen =
      fail(Code::unreachable, "the zone's name servers cannot be found", zone.text());
  bool answered = false;
  for (const Authority& server : servers) {
    Result<Done> one = has_all(server, edits, resolver);
    if (!one && one.error().code == Code::conflict) return one;
    answered = answered || one.has_value();
    if (!answered)
      seen = fail(one.error().code, fmt::format("{}: {}", server.name, one.error().what));
  }
  return answered ? Result<Done>(Done{}) : seen;
}

}  // namespace

std::vector<Authority> authorities(const dns::Name& name, io::Resolver& resolver,
                                   std::uint16_t dns_port) {
  std::vector<std::string> names;
  for (std::optional<dns::Name> zone = name; zone && names.empty();) {
    const auto answer = resolver.resolve(*zone, io::Question::ns);
    if (answer && answer->aliases.empty()) names = answer->values;
    const std::size_t dot = zone->text().find('.');
    if (dot == std::string::npos) break;
    const auto above = dns::Name::parse(zone->text().substr(dot + 1));
    zone = above ? std::optional(*above) : std::nullopt;
  }
  std::ranges::sort(names);
  std::vector<Authority> found;
  for (const std::string& text : names) {
    const auto host = dns::Name::parse(text);
    if (!host) continue;
    for (const io::Question question : {io::Question::a, io::Question::aaaa}) {
      const auto answer = resolver.resolve(*host, question);
      for (const std::string& address : answer ? answer->values : std::vector<std::string>{})
        if (found.size() < most_servers) found.push_back({host->text(), {address, dns_port}});
    }
  }
  return found;
}

bool is_behind(const RecordEdit& edit, const std::vector<std::string>& answered) {
  std::vector<std::string> values = answered;
  std::ranges::sort(values);
  if (values == values_of(edit.after)) return false;
  return subject(edit).type == dns::Type::txt || values == values_of(edit.before);
}

Result<Done> await_records(const dns::Name& zone, const std::vector<RecordEdit>& edits,
                           const ConfirmOptions& options, io::Clock& clock,
                           const std::stop_token& stop) {
  const auto begin = clock.steady();
  const Duration patience = options.timeout.value_or(usual_patience);
  io::Resolver& resolver = options.eyes->resolver;
  std::vector<Authority> servers;
  for (milliseconds pause = first_pause;; pause = std::min(pause * 2, longest_pause)) {
    if (servers.empty()) servers = authorities(zone, resolver, options.look.dns_port);
    const Result<Done> seen = look(zone, servers, edits, resolver);
    if (seen) return seen;
    if (stop.stop_requested()) return fail(Code::cancelled, "stopped before the records were seen");
    if (options.wait && clock.steady() - begin < patience) {
      clock.sleep(pause, stop);
      continue;
    }
    return fail(Code::timeout,
                fmt::format("the new records were not served{}: {}", waited(options, patience),
                            to_string(seen.error())),
                {},
                "they are written: run apply again when every server of the zone has them, or with "
                "--no-verify");
  }
}

}  // namespace stsctl::engine
