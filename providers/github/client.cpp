#include "providers/github/client.h"

#include <utility>

#include <fmt/format.h>

#include "providers/github/trouble.h"

namespace stsctl::providers::github {

namespace {

// A listing of 100,000 entries, the most there are, takes some 30 MB.
constexpr std::size_t longest_answer = std::size_t{64} << 20U;

std::string shown(const char* method, const std::string& repository, const std::string& path) {
  return fmt::format("github {} {}{}", method, repository, path.substr(0, path.find('?')));
}

// What `parse` makes of a good answer, or the Error of another; it may quote what was sent.
template <class Parse>
auto read(const Result<io::Reply>& reply, const std::string& where, const io::Log& log, Parse parse)
    -> decltype(parse(std::string())) {
  if (!reply) return fail(reply);
  if (!reply->ok()) {
    Error error = error_of(*reply);
    error.what = log.mask(error.what);
    error.where = where;
    return std::unexpected(std::move(error));
  }
  auto value = parse(reply->body);
  if (!value) return fail_at(value, where);
  return value;
}

template <class T>
Result<std::optional<T>> present(Result<T> value) {
  if (!value) return fail(value);
  return std::optional<T>(std::move(*value));
}

}  // namespace

Client::Client(Api api, std::string token, Duration write_interval, const io::Services& services)
    : api_(std::move(api)),
      token_(std::move(token)),
      write_interval_(write_interval),
      services_(services) {}

Result<io::Reply> Client::exchange(const char* method, const std::string& repository,
                                   const std::string& path, const std::string& body,
                                   bool repeatable) const {
  io::Request request{.method = method,
                      .url = fmt::format("{}/repos/{}{}", api_.endpoint, repository, path),
                      .headers = {{"Authorization", "Bearer " + token_},
                                  {"Accept", "application/vnd.github+json"},
                                  {"X-GitHub-Api-Version", "2022-11-28"}},
                      .body = body,
                      .repeatable = repeatable,
                      .answer_limit = longest_answer};
  if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  Result<io::Reply> reply = api_.http->send(request);
  if (!reply) return fail_at(reply, shown(method, repository, path));
  return reply;
}

Result<io::Reply> Client::write(const char* method, const std::string& repository,
                                const std::string& path, const std::string& body,
                                bool repeatable) const {
  const std::scoped_lock lock(writing_);
  if (last_write_) {
    const auto wait = *last_write_ + write_interval_ - services_.clock.steady();
    if (wait.count() > 0)
      services_.clock.sleep(std::chrono::ceil<std::chrono::milliseconds>(wait), services_.stop);
  }
  if (services_.stop.stop_requested()) return fail(Code::cancelled, "stopped");
  Result<io::Reply> reply = exchange(method, repository, path, body, repeatable);
  last_write_ = services_.clock.steady();
  return reply;
}

Result<Done> Client::see(const std::string& repository) const {
  const auto reply = exchange("GET", repository, "", {}, true);
  return read(reply, shown("GET", repository, ""), services_.log,
              [](const std::string&) -> Result<Done> { return Done{}; });
}

Result<std::optional<File>> Client::contents(const std::string& repository, const std::string& path,
                                             const std::string& ref) const {
  const std::string call =
      fmt::format("/contents/{}?ref={}", url_encoded(path, true), url_encoded(ref, false));
  const auto reply = exchange("GET", repository, call, {}, true);
  if (reply && is_empty_repository(*reply)) return std::nullopt;
  if (reply && reply->status == 404 && !is_missing_branch(*reply)) {
    // A hidden repository answers like a missing file.
    const Result<Done> seen = see(repository);
    return seen ? Result<std::optional<File>>(std::nullopt) : fail(seen);
  }
  return present(read(reply, shown("GET", repository, call), services_.log, parse_contents));
}

Result<std::string> Client::head(const std::string& repository, const std::string& branch) const {
  const std::string call = "/git/ref/heads/" + url_encoded(branch, true);
  const auto reply = exchange("GET", repository, call, {}, true);
  if (reply && reply->status == 404) {
    if (const Result<Done> seen = see(repository); !seen) return fail(seen);
    return fail(Code::not_found, fmt::format("the repository has no branch '{}'", branch),
                repository, "create it, or name another with 'branch'");
  }
  return read(reply, shown("GET", repository, call), services_.log, parse_ref);
}

Result<Tree> Client::tree(const std::string& repository, const std::string& ref) const {
  const std::string call = fmt::format("/git/trees/{}?recursive=1", url_encoded(ref, false));
  return read(exchange("GET", repository, call, {}, true), shown("GET", repository, call),
              services_.log, parse_tree);
}

Result<Tree> Client::folder(const std::string& repository, const std::string& sha) const {
  const std::string call = "/git/trees/" + sha;
  return read(exchange("GET", repository, call, {}, true), shown("GET", repository, call),
              services_.log, parse_tree);
}

Result<std::string> Client::tree_of(const std::string& repository,
                                    const std::string& commit) const {
  const std::string call = "/git/commits/" + commit;
  return read(exchange("GET", repository, call, {}, true), shown("GET", repository, call),
              services_.log, parse_commit_tree);
}

Result<std::string> Client::blob(const std::string& repository, const std::string& sha) const {
  const std::string call = "/git/blobs/" + sha;
  return read(exchange("GET", repository, call, {}, true), shown("GET", repository, call),
              services_.log, [&](const std::string& text) { return parse_blob(text, sha); });
}

Result<std::optional<Site>> Client::site(const std::string& repository) const {
  const auto reply = exchange("GET", repository, "/pages", {}, true);
  if (reply && reply->status == 404) return std::nullopt;
  return present(read(reply, shown("GET", repository, "/pages"), services_.log, parse_site));
}

Result<std::optional<Build>> Client::latest_build(const std::string& repository) const {
  const std::string call = "/pages/builds/latest";
  const auto reply = exchange("GET", repository, call, {}, true);
  if (reply && reply->status == 404) return std::nullopt;
  return present(read(reply, shown("GET", repository, call), services_.log, parse_build));
}

Result<std::string> Client::put(const std::string& repository, const std::string& path,
                                const std::string& body) const {
  const std::string call = "/contents/" + url_encoded(path, true);
  return read(write("PUT", repository, call, body, false), shown("PUT", repository, call),
              services_.log, parse_committed);
}

Result<std::string> Client::remove(const std::string& repository, const std::string& path,
                                   const std::string& body) const {
  const std::string call = "/contents/" + url_encoded(path, true);
  return read(write("DELETE", repository, call, body, false), shown("DELETE", repository, call),
              services_.log, parse_committed);
}

Result<std::string> Client::create_tree(const std::string& repository,
                                        const std::string& body) const {
  return read(write("POST", repository, "/git/trees", body, true),
              shown("POST", repository, "/git/trees"), services_.log, parse_made);
}

Result<std::string> Client::create_commit(const std::string& repository,
                                          const std::string& body) const {
  return read(write("POST", repository, "/git/commits", body, true),
              shown("POST", repository, "/git/commits"), services_.log, parse_made);
}

Result<Done> Client::move_branch(const std::string& repository, const std::string& branch,
                                 const std::string& body) const {
  const std::string call = "/git/refs/heads/" + url_encoded(branch, true);
  const auto moved = read(write("PATCH", repository, call, body, false),
                          shown("PATCH", repository, call), services_.log, parse_ref);
  return moved ? Result<Done>(Done{}) : fail(moved);
}

}  // namespace stsctl::providers::github
