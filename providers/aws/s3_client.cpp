#include "providers/aws/s3_client.h"

#include <utility>

#include <fmt/format.h>

#include "providers/aws/region.h"

namespace stsctl::providers::aws {

ApiDefaults s3_defaults() {
  io::RetryOptions retry{.throttled = s3_asks_to_wait};
  return {.endpoint = s3_endpoint("us-east-1"),
          .concurrency = 16,
          .timeout = Duration(30),
          .retry = std::move(retry)};
}

S3Client::S3Client(const Settings& settings, const io::Services& services,
                   std::unique_ptr<SignedApi> signed_api)
    : log_(services.log),
      clock_(services.clock),
      signed_(std::move(signed_api)),
      bucket_(settings.text("bucket")),
      addressing_(usual_addressing(bucket_, !settings.has("endpoint"))),
      cache_control_(settings.text("cache_control", "max-age=300")) {
  if (settings.has("addressing"))
    addressing_ = settings.text("addressing") == "path" ? Addressing::path : Addressing::host_name;
}

Result<std::unique_ptr<S3Client>> S3Client::open(const Settings& settings,
                                                 const io::Services& services) {
  std::string region = find_region(read_identity(settings), services);
  if (region.empty()) region = "us-east-1";  // as AWS's own tools do for S3
  ApiDefaults defaults = s3_defaults();
  defaults.endpoint = s3_endpoint(region);
  Result<std::unique_ptr<SignedApi>> signed_api =
      SignedApi::open(settings, services, {region, "s3"}, std::move(defaults));
  if (!signed_api) return fail(signed_api);
  return std::unique_ptr<S3Client>(new S3Client(settings, services, std::move(*signed_api)));
}

std::string S3Client::shown(const std::string& key) const {
  return fmt::format("s3://{}/{}", bucket_, key);
}

Result<Object> S3Client::get(const std::string& key, std::size_t limit) const {
  io::Request request = io::get({}, {{"Accept-Encoding", "identity"}});
  request.answer_limit = limit;
  Result<io::Reply> reply = send(std::move(request), key);
  if (!reply) return fail(reply);
  if (reply->status == 200) {
    Object object;
    object.body = std::move(reply->body);
    object.etag = reply->header("ETag").value_or("");
    return object;
  }
  if (is_no_such_key(*reply)) return Object{};
  return refused(*reply, "GET", key);
}

Result<Done> S3Client::put(const std::string& key, const std::string& body,
                           const Object* live) const {
  io::Request request{
      .method = "PUT",
      .headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", cache_control_}},
      .body = body};
  if (live != nullptr && !live->body) request.headers.push_back({"If-None-Match", "*"});
  if (live != nullptr && live->body && !live->etag.empty())
    request.headers.push_back({"If-Match", live->etag});
  const Result<io::Reply> reply = send(std::move(request), key);
  if (!reply) return fail(reply);
  if (reply->ok()) return Done{};
  // If-Match of an object that is gone.
  if (is_no_such_key(*reply))
    return fail(Code::conflict, "it is gone since it was read", shown(key), "run plan again");
  return refused(*reply, "PUT", key);
}

Result<Done> S3Client::remove(const std::string& key) const {
  const Result<io::Reply> reply = send({.method = "DELETE"}, key);
  if (!reply) return fail(reply);
  if (reply->ok() || is_no_such_key(*reply)) return Done{};
  return refused(*reply, "DELETE", key);
}

Result<io::Reply> S3Client::send(io::Request request, const std::string& key) const {
  request.url = object_url(signed_->api().endpoint, addressing_, bucket_, key);
  return signed_->send(request);
}

std::unexpected<Error> S3Client::refused(const io::Reply& reply, const std::string& method,
                                         const std::string& key) const {
  Error error = s3_error(reply, clock_.now());
  error.what = log_.mask(error.what);
  error.where = fmt::format("{} {}", method, shown(key));
  return std::unexpected(std::move(error));
}

}  // namespace stsctl::providers::aws
