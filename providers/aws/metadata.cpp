#include "providers/aws/metadata.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "io/http_url.h"
#include "providers/aws/keys.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::chrono::seconds container_patience{2};
constexpr std::chrono::seconds instance_patience{1};
constexpr std::size_t longest_token = std::size_t{64} << 10U;
constexpr std::size_t longest_answer = std::size_t{64} << 10U;

constexpr const char* full_uri = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* relative_uri = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";

std::optional<std::string> variable(const io::Environment& env, const char* name) {
  std::optional<std::string> value = env(name);
  if (value && value->empty()) value.reset();
  return value;
}

// Not repeatable: what is not there at once is not there.
io::Request request(std::string url, std::chrono::milliseconds timeout) {
  return {.url = std::move(url),
          .link_local = true,
          .timeout = timeout,
          .answer_limit = longest_answer};
}

// Where a token may be sent: to nobody who could be on another machine and listening.
Result<Done> check_address(const std::string& uri) {
  constexpr std::array allowed{"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
  const Result<io::Url> url = io::Url::parse(uri, true);
  const bool good = url && (url->is_tls() || io::is_loopback(url->host()) ||
                            std::ranges::find(allowed, url->host()) != allowed.end());
  if (good) return Done{};
  return fail(Code::invalid,
              fmt::format("{} names an address that credentials are not asked of", full_uri), {},
              "https, 127.0.0.1, 169.254.170.2 (ECS) and 169.254.170.23 (EKS) are allowed");
}

Result<std::string> container_token(io::Files& files, const io::Environment& env) {
  std::string token = env("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (const auto path = variable(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    const Result<std::string> text = files.read(*path, longest_token);
    if (!text) return fail(text);
    token = *text;
  }
  return std::string(trim(token));
}

std::string describe(const Result<io::Reply>& reply) {
  return reply ? fmt::format("the metadata service answers {}", reply->status) : reply.error().what;
}

// Version 2 of the instance's metadata service: a token first, sent with every question.
class Instance {
 public:
  Instance(io::Http& http, std::string base) : http_(http), base_(std::move(base)) {
    while (base_.ends_with('/'))
      base_.pop_back();
  }

  Answer ask() {
    io::Request first = request(base_ + "/latest/api/token", instance_patience);
    first.method = "PUT";
    first.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
    const Result<io::Reply> token = http_.send(first);
    if (!token || !token->ok()) return {{}, describe(token)};
    token_ = token->body;
    const Result<io::Reply> list = get("");
    if (list && list->status == 404) return {{}, "the instance has no role"};
    if (!list || !list->ok()) return {{}, describe(list)};
    const std::string role(trim(split(list->body, '\n').front()));
    if (role.empty()) return {{}, "the instance has no role"};
    const Result<io::Reply> answer = get(role);
    if (!answer || !answer->ok()) return {{}, describe(answer)};
    Result<Credentials> keys = parse_key_document(answer->body);
    if (!keys) return {{}, keys.error().what};
    return {std::move(*keys), {}};
  }

 private:
  Result<io::Reply> get(const std::string& role) {
    io::Request question =
        request(base_ + "/latest/meta-data/iam/security-credentials/" + role, instance_patience);
    question.headers = {{"X-aws-ec2-metadata-token", token_}};
    return http_.send(question);
  }

  io::Http& http_;
  std::string base_;
  std::string token_;
};

}  // namespace

Result<Answer> from_container(io::Http& http, io::Files& files, const io::Environment& env) {
  const auto relative = variable(env, relative_uri);
  const auto full = variable(env, full_uri);
  if (!relative && !full)
    return Answer{{}, fmt::format("neither {} nor {} is set", relative_uri, full_uri)};
  const std::string uri = relative ? "http://169.254.170.2" + *relative : *full;
  if (const Result<Done> good = check_address(uri); !good) return fail(good);
  const Result<std::string> token = container_token(files, env);
  if (!token) return fail(token);
  io::Request question = request(uri, container_patience);
  if (!token->empty()) question.headers.push_back({"Authorization", *token});
  const Result<io::Reply> reply = http.send(question);
  if (!reply) return fail(reply);
  if (!reply->ok())
    return fail(Code::unauthorized,
                fmt::format("the container's credential service answers {}", reply->status));
  Result<Credentials> keys = parse_key_document(reply->body);
  if (!keys) return fail(keys);
  return Answer{std::move(*keys), {}};
}

Answer from_instance(io::Http& http, const io::Environment& env) {
  if (lower(env("AWS_EC2_METADATA_DISABLED").value_or("")) == "true")
    return {{}, "AWS_EC2_METADATA_DISABLED is true"};
  const std::string base =
      variable(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or("http://169.254.169.254");
  return Instance(http, base).ask();
}

}  // namespace stsctl::providers::aws
