// s3: the emulator of S3, which judges signatures with botocore, by TLS and behind a wire that can
// be cut. Once by itself, once behind the emulator of CloudFront, which is told of every write.
// swift_world.cpp has a store that knows no conditional writes.

#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"
#include "host_world.h"
#include "providers/aws/s3.h"
#include "servers/emulator.h"
#include "servers/test_ca.h"

namespace stsctl::contract {
namespace {

using nlohmann::json;

constexpr const char* access_key = "AKIATEST";
constexpr const char* secret = "secret+of/no-worth";
constexpr const char* wrong_secret = "wrong+secret/of-no-worth";
constexpr const char* bucket = "policies";
constexpr const char* distribution = "E2QWRUHAPOMQZL";

const servers::TestCa& test_ca() {
  static const servers::TestCa ca;
  return ca;
}

class S3World final : public HostWorld {
 public:
  S3World() = default;
  explicit S3World(std::unique_ptr<servers::Emulator> edges) : edges_(std::move(edges)) {}

  void start(Layout layout) override {
    layout_ = layout;
    denied_ = json::array();
    server_.clear_faults();
    server_.load(json{{"buckets", {{bucket, json::object()}}}, {"identity", identity()}}.dump());
    // Done at once: what waiting for edges is like is no matter of policies.
    if (edges_)
      edges_->load(
          json{{"distributions", {distribution}}, {"identity", identity()}, {"polls", 0}}.dump());
    wire_ = std::make_unique<servers::Relay>(server_.port());
  }

  Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& access,
                                                      const io::Services& services) override {
    io::Services mine = services;
    const std::string key = access.good_credentials ? secret : wrong_secret;
    mine.env = [key](const std::string& name) -> std::optional<std::string> {
      if (name == "AWS_ACCESS_KEY_ID") return access_key;
      if (name == "AWS_SECRET_ACCESS_KEY") return key;
      return std::nullopt;
    };
    Settings settings;
    settings.set("endpoint", fmt::format("https://localhost:{}", wire_->port()), "");
    settings.set("bucket", bucket, "");
    settings.set("region", "us-east-1", "");
    settings.set("path", path_template(layout_), "");
    settings.set("ca_file", test_ca().file(), "");
    settings.set("timeout", access.timeout.count(), "");
    if (edges_) {
      settings.set("distribution", distribution, "");
      settings.set("cloudfront_endpoint", edges_->url(), "");
    }
    return providers::aws::s3_kind().make(settings, mine);
  }

  std::optional<std::string> stored(const std::string& domain) override {
    const json objects = this->objects();
    const auto found = objects.find(key_of(domain));
    if (found == objects.end()) return std::nullopt;
    return decode_base64(found->at("body").get<std::string>());
  }

  void put(const std::string& domain, const std::string& body) override {
    change(domain, {{"body", base64(body)}});
  }
  void drop(const std::string& domain) override { change(domain, nullptr); }

  std::vector<std::string> leftovers(const std::vector<std::string>& domains) override {
    json objects = this->objects();
    for (const std::string& domain : domains)
      objects.erase(key_of(domain));
    std::vector<std::string> others;
    for (const auto& [key, item] : objects.items())
      others.push_back(key);
    return others;
  }

  std::vector<std::string> secrets() const override { return {secret, wrong_secret}; }
  servers::Relay& wire() override { return *wire_; }

  void forbid_reading(const std::string& domain) override { deny({"s3:GetObject"}, domain); }
  void forbid_writing(const std::string& domain) override {
    deny({"s3:PutObject", "s3:DeleteObject"}, domain);
  }

 private:
  std::string key_of(const std::string& domain) const {
    return replaced(path_template(layout_), "{domain}", domain);
  }
  json identity() const {
    return {{"keys", {{{"access_key", access_key}, {"secret_key", secret}, {"denied", denied_}}}}};
  }
  json objects() const { return json::parse(server_.dump())["buckets"][bucket]["objects"]; }
  void change(const std::string& domain, const json& item) const {
    server_.load(json{{"change", {{bucket, {{key_of(domain), item}}}}}}.dump());
  }
  void deny(const std::vector<std::string>& actions, const std::string& domain) {
    for (const std::string& action : actions)
      denied_.push_back(fmt::format("{} arn:aws:s3:::{}/{}", action, bucket, key_of(domain)));
    json state = json::parse(server_.dump());
    state["identity"] = identity();
    server_.load(state.dump());
  }

  const std::unique_ptr<servers::Emulator> edges_;
  // As far away as a store is, so that what readers see meanwhile is seen often.
  servers::Emulator server_{"s3.py", test_ca(), {"--latency", "0.03"}};
  std::unique_ptr<servers::Relay> wire_;
  Layout layout_ = Layout::usual;
  json denied_ = json::array();
};

const std::map<HostNeed, std::string> lacking{
    {HostNeed::disk, "the service has no end of room"},
    {HostNeed::folders, "a store has objects and no folders"},
};

const bool s3 = add_host_world({
    .name = "s3",
    .make = [] { return std::make_unique<S3World>(); },
    .lacks = lacking,
    .fleet = 400,
});

const bool told = add_host_world({
    .name = "s3_cloudfront",
    .make =
        [] {
          return std::make_unique<S3World>(
              std::make_unique<servers::Emulator>("cloudfront.py", test_ca()));
        },
    .lacks = lacking,
    .fleet = 400,
});

}  // namespace
}  // namespace stsctl::contract
