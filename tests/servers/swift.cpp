#include "servers/swift.h"

#include <stdexcept>

#include <fmt/format.h>

#include "base/text.h"
#include "io/curl_http.h"

namespace stsctl::servers {

std::string swift_access_key() {
  return "test:tester";
}

std::string swift_secret_key() {
  return "secret-of-no-worth";
}

Swift::Swift() : server_("swift_s3.py", {folder_.path()}), http_(io::real_http()) {}

void Swift::make_bucket(const std::string& bucket) const {
  send("PUT", bucket);
}

std::optional<std::string> Swift::get(const std::string& bucket, const std::string& key) const {
  const io::Reply reply = send("GET", bucket + "/" + key);
  if (reply.status == 404) return std::nullopt;
  return reply.body;
}

void Swift::put(const std::string& bucket, const std::string& key, const std::string& body) const {
  send("PUT", bucket + "/" + key, body);
}

void Swift::drop(const std::string& bucket, const std::string& key) const {
  send("DELETE", bucket + "/" + key);
}

std::vector<std::string> Swift::keys(const std::string& bucket) const {
  const io::Reply listing = send("GET", bucket + "?limit=10000");
  std::vector<std::string> keys;
  for (const std::string_view line : split(listing.body, '\n'))
    if (!line.empty()) keys.emplace_back(line);
  return keys;
}

io::Reply Swift::send(const std::string& method, const std::string& path,
                      const std::string& body) const {
  const auto reply =
      http_->send({.method = method,
                   .url = fmt::format("http://127.0.0.1:{}/v1/AUTH_test/{}", server_.port(), path),
                   .body = body});
  if (!reply) throw std::runtime_error(to_string(reply.error()));
  if (!reply->ok() && reply->status != 404)
    throw std::runtime_error(fmt::format("{} {}: {}", method, path, reply->status));
  return *reply;
}

}  // namespace stsctl::servers
