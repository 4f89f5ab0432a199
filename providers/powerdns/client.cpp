#include "providers/powerdns/client.h"

#include <utility>

#include <fmt/format.h>

namespace stsctl::providers::powerdns {

namespace {

// The server counts rows before it leaves some out (empty non-terminals), so an answer that falls
// short of the limit may still have been cut. One that is less than half of it we believe.
constexpr std::size_t most_matches = 1'000'000;
// 250 bytes a zone or record: enough for that many.
constexpr std::size_t longest_answer = std::size_t{256} << 20U;

// What the answer's status means.
Error error_of(const io::Reply& reply) {
  const std::string said = error_text(reply.body);
  switch (reply.status) {
    case 401:
      return {Code::unauthorized,
              "the server does not accept the API key",
              {},
              "'api_key' here must be 'api-key' in the server's pdns.conf"};
    case 403:
      return {Code::unauthorized,
              "the server does not let this address use its API",
              {},
              "add the address to 'webserver-allow-from' in the server's pdns.conf"};
    case 404:
      return {Code::not_found,
              "the server knows no such zone or server",
              {},
              "check 'endpoint' and 'server'; is the API on ('api=yes')?"};
    case 400:
    case 422:
      if (said.find("Conflicts with pre-existing") != std::string::npos)
        return {Code::conflict, said, {}, "a CNAME stands beside no other record"};
      return {Code::invalid, fmt::format("the server refuses the change: {}", said)};
    case 409:
      return {Code::conflict, said};
    case 429:
      // Not PowerDNS itself, but what may stand in front of it.
      return {Code::rate_limited,
              "the server asks for fewer requests",
              {},
              "set 'rate' to what it allows"};
    case 500:
      // All that 4.7 says when another writer holds its SQLite database.
      return {Code::internal,
              fmt::format("the server failed: {}", said),
              {},
              "see the server's log; with a SQLite database leave 'concurrency' out, so that one "
              "zone is written at a time"};
    case 502:
    case 503:
    case 504:
      return {Code::unreachable,
              fmt::format("the server answers {}: {}", reply.status, said),
              {},
              "is the server behind 'endpoint' up?"};
    default:
      return {Code::protocol,
              fmt::format("the server answers {}: {}", reply.status, said),
              {},
              "does 'endpoint' name a PowerDNS authoritative server?"};
  }
}

// For Error::where.
std::string call(const char* method, const std::string& path) {
  return fmt::format("powerdns {} {}", method, path.substr(0, path.find('?')));
}

}  // namespace

Client::Client(Api api, std::string server, std::string key)
    : api_(std::move(api)),
      base_(fmt::format("{}/api/v1/servers/{}", api_.endpoint, server)),
      key_(std::move(key)) {}

Result<std::string> Client::send(const char* method, const std::string& path,
                                 const std::string& body) const {
  io::Request request{.method = method,
                      .url = base_ + path,
                      .headers = {{"X-API-Key", key_}, {"Accept", "application/json"}},
                      .body = body,
                      .repeatable = body.empty(),
                      .answer_limit = longest_answer};
  if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  const Result<io::Reply> reply = api_.http->send(request);
  if (!reply) return fail_at(reply, call(method, path));
  if (reply->ok()) return reply->body;
  Error error = error_of(*reply);
  error.where = call(method, path);
  return std::unexpected(std::move(error));
}

template <class Value>
Result<Value> Client::get(const std::string& path, Result<Value> (*parse)(std::string_view)) const {
  const Result<std::string> answer = send("GET", path);
  if (!answer) return fail(answer);
  Result<Value> value = parse(*answer);
  if (!value) return fail_at(value, call("GET", path));
  return value;
}

Result<std::vector<ZoneInfo>> Client::zones() const {
  // Without the flag the server computes a signed serial for every zone.
  return get("/zones?dnssec=false", parse_zones);
}

Result<std::vector<ApiSet>> Client::zone(const std::string& id, const dns::Name* owner) const {
  const std::string filter = owner == nullptr ? "" : "?rrset_name=" + owner->text() + ".";
  return get("/zones/" + id + filter, parse_zone);
}

Result<Found> Client::search(const std::string& pattern) const {
  const std::string path =
      fmt::format("/search-data?object_type=record&max={}&q={}", most_matches, pattern);
  Result<Found> found = get(path, parse_search);
  if (found && found->records >= most_matches / 2)
    return fail(Code::unsupported, "there are too many records to search");
  return found;
}

Result<bool> Client::searchable() const {
  return get("/config", parse_searchable);
}

Result<Done> Client::patch(const std::string& id, const std::string& body) const {
  const std::string path = "/zones/" + id;
  const Result<std::string> answer = send("PATCH", path, body);
  if (!answer) return fail(answer);
  // The server says 204. Whoever has more to say is not the server.
  if (!answer->empty())
    return fail(Code::protocol, "the answer to the change is not the server's", call("PATCH", path),
                "does 'endpoint' name a PowerDNS authoritative server?");
  return Done{};
}

Result<Done> Client::notify(const std::string& id) const {
  const Result<std::string> answer = send("PUT", "/zones/" + id + "/notify");
  return answer ? Result<Done>(Done{}) : fail(answer);
}

}  // namespace stsctl::providers::powerdns
