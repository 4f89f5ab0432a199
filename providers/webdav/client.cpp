#include "providers/webdav/client.h"

#include <utility>

#include <fmt/format.h>

namespace stsctl::providers::webdav {

namespace {

void add_condition(io::Request& request, const Condition& condition) {
  if (condition.kind == Condition::Kind::absent) request.headers.push_back({"If-None-Match", "*"});
  if (condition.kind == Condition::Kind::unchanged)
    request.headers.push_back({"If-Match", condition.etag.text});
}

// 207 tells of failures inside (RFC 4918 §11.1).
bool is_done(const io::Reply& reply) {
  return reply.ok() && reply.status != 207;
}

}  // namespace

Client::Client(Api api, std::string authorization)
    : api_(std::move(api)), authorization_(std::move(authorization)) {}

Result<io::Reply> Client::send(io::Request request) const {
  if (!authorization_.empty()) request.headers.push_back({"Authorization", authorization_});
  return api_.http->send(request);
}

Result<Done> Client::change(io::Request request) const {
  const std::string method = request.method;
  const std::string url = request.url;
  const Result<io::Reply> reply = send(std::move(request));
  if (!reply) return fail(reply);
  if (is_done(*reply)) return Done{};
  return std::unexpected(problem(*reply, method, url));
}

Result<Stored> Client::get(const std::string& url, std::size_t limit) const {
  // As it is stored: no cache's copy, and no compressed form, which has an ETag of its own.
  io::Request request =
      io::get(url, {{"Cache-Control", "no-cache"}, {"Accept-Encoding", "identity"}});
  request.answer_limit = limit;
  Result<io::Reply> reply = send(std::move(request));
  if (!reply) return fail(reply);
  if (reply->status == 404 || reply->status == 410) return Stored{};
  if (reply->status != 200) return std::unexpected(problem(*reply, "GET", url));
  return Stored{{std::move(reply->body)}, {reply->header("ETag").value_or("")}};
}

Result<bool> Client::puts_atomically(const std::string& url) const {
  const Result<io::Reply> reply = send({.method = "OPTIONS", .url = url, .repeatable = true});
  if (!reply) return fail(reply);
  // A server that does not know OPTIONS is another one; one that is not ready may be this one.
  if (reply->status == 401 || reply->status == 403 || reply->status >= 500)
    if (reply->status != 501) return std::unexpected(problem(*reply, "OPTIONS", url));
  return is_mod_dav_fs(*reply);
}

Result<Done> Client::make_collection(const std::string& url) const {
  const Result<io::Reply> reply = send({.method = "MKCOL", .url = url, .repeatable = true});
  if (!reply) return fail(reply);
  // 405: it is there. 403: it may be there all the same; if not, the upload says so.
  if (reply->ok() || reply->status == 405 || reply->status == 403) return Done{};
  return std::unexpected(problem(*reply, "MKCOL", url));
}

Result<Done> Client::put(const std::string& url, const std::string& body,
                         const Condition& condition, bool repeatable) const {
  io::Request request{.method = "PUT",
                      .url = url,
                      .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                      .body = body,
                      .repeatable = repeatable};
  add_condition(request, condition);
  return change(std::move(request));
}

Result<Done> Client::move(const std::string& from, const std::string& to,
                          const Condition& condition) const {
  const bool replaces = condition.kind != Condition::Kind::absent;
  io::Request request{.method = "MOVE",
                      .url = from,
                      .headers = {{"Destination", to}, {"Overwrite", replaces ? "T" : "F"}}};
  // RFC 4918 §10.4.2: about another resource than the one in the request line.
  if (condition.kind == Condition::Kind::unchanged)
    request.headers.push_back({"If", fmt::format("<{}> ([{}])", to, condition.etag.text)});
  return change(std::move(request));
}

Result<Done> Client::remove(const std::string& url, const Condition& condition) const {
  io::Request request{.method = "DELETE", .url = url};
  add_condition(request, condition);
  const Result<io::Reply> reply = send(std::move(request));
  if (!reply) return fail(reply);
  if (is_done(*reply) || reply->status == 404 || reply->status == 410) return Done{};
  return std::unexpected(problem(*reply, "DELETE", url));
}

}  // namespace stsctl::providers::webdav
