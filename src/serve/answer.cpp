#include "serve/answer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "serve/target.h"
#include "sts/policy.h"

namespace stsctl::serve {

namespace {

constexpr std::string_view plain_text = "text/plain; charset=utf-8";
// The text format 0.0.4 of Prometheus.
constexpr std::string_view metrics_text = "text/plain; version=0.0.4; charset=utf-8";

constexpr std::array<std::pair<int, std::string_view>, 9> reasons{
    {{200, "200 OK"},
     {304, "304 Not Modified"},
     {400, "400 Bad Request"},
     {404, "404 Not Found"},
     {405, "405 Method Not Allowed"},
     {408, "408 Request Timeout"},
     {431, "431 Request Header Fields Too Large"},
     {500, "500 Internal Server Error"},
     {503, "503 Service Unavailable"}}};

// Does If-None-Match name this representation (RFC 9110 §13.1.2: weak comparison)?
bool matches(std::string_view if_none_match, std::string_view etag) {
  for (std::string_view one : split(if_none_match, ',')) {
    one = trim(one);
    if (one == "*") return true;
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag) return true;
  }
  return false;
}

Answer plain(int status, std::string_view body) {
  return {.status = status, .type = plain_text, .body = body};
}

Answer policy_answer(const Request& request, const ServedPolicy& policy) {
  if (policy.etag.empty()) return refusal(500);
  Answer found{.type = plain_text, .body = policy.body, .etag = policy.etag, .is_policy = true};
  if (!request.if_none_match.empty() && matches(request.if_none_match, policy.etag)) {
    found.status = 304;
    found.body = {};
  }
  return found;
}

// Whose policy: the authority of an absolute-form target, or else Host (RFC 9112 §3.2.2).
Answer for_host(const Request& request, const Target& target, const Site& site) {
  if (request.http_1_0 && request.hosts == 0 && !target.authority) return refusal(404);
  const auto host = parse_host(target.authority.value_or(request.host));
  if (!host) return refusal(400);
  const ServedPolicy* policy = site.policies.find(*host);
  return policy == nullptr ? refusal(404) : policy_answer(request, *policy);
}

Answer for_path(const Request& request, const Target& target, const Site& site) {
  if (is_path(target.path, "/healthz"))
    return site.healthy ? plain(200, "ok\n") : plain(503, "shutting down\n");
  if (site.service == Service::policies && is_path(target.path, sts::policy_path))
    return for_host(request, target, site);
  if (site.service == Service::metrics && site.metrics != nullptr &&
      is_path(target.path, "/metrics")) {
    Answer found{.type = metrics_text};
    found.text = (*site.metrics)();
    return found;
  }
  return refusal(404);
}

bool host_is_missing(const Request& request) {
  return request.hosts > 1 || (request.hosts == 0 && !request.http_1_0);
}

}  // namespace

Answer answer(const Request& request, const Site& site) {
  const bool is_head = request.method == "HEAD";
  if (host_is_missing(request)) return refusal(400);
  if (!is_head && request.method != "GET") return refusal(405);
  const auto target = parse_target(request.target);
  Answer found = target ? for_path(request, *target, site) : refusal(400);
  found.is_head = is_head;
  return found;
}

Answer refusal(int status) {
  const std::string_view line = status_line(status);
  Answer refused = plain(status, {});
  refused.text = std::string(line.substr(std::min<std::size_t>(4, line.size()))) + "\n";
  return refused;
}

std::string_view status_line(int status) {
  const auto* const found =
      std::ranges::find(reasons, status, &std::pair<int, std::string_view>::first);
  return found == reasons.end() ? std::string_view("500 Internal Server Error") : found->second;
}

void append(std::string& out, const Answer& answer, const Framing& framing) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "HTTP/1.1 {}\r\nDate: {}\r\n", status_line(answer.status), framing.date);
  // RFC 9110 §15.4.5: a 304 carries what a cache needs, no length and no type.
  if (answer.status != 304)
    fmt::format_to(to, "Content-Type: {}\r\nContent-Length: {}\r\n", answer.type,
                   answer.content().size());
  if (!answer.etag.empty()) fmt::format_to(to, "ETag: {}\r\n", answer.etag);
  // RFC 8461 §8.2: a proxy that caches must follow a change soon.
  fmt::format_to(to, "Cache-Control: {}\r\n", answer.is_policy ? "max-age=60" : "no-store");
  if (answer.status == 405) out += "Allow: GET, HEAD\r\n";
  if (!framing.keep_alive)
    out += "Connection: close\r\n";
  else if (framing.http_1_0)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
  if (answer.sent_bytes() > 0) out += answer.content();
}

}  // namespace stsctl::serve
