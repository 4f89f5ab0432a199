// s3 at OpenStack Swift, a store that nobody here wrote: it verifies signatures and digests, and
// answers 501 to a conditional write. By plain HTTP, behind a wire that can be cut.

#include <fmt/format.h>

#include "base/text.h"
#include "host_world.h"
#include "providers/aws/s3.h"
#include "servers/swift.h"

namespace stsctl::contract {
namespace {

constexpr const char* wrong_secret = "wrong-secret-of-no-worth";

class SwiftWorld final : public HostWorld {
 public:
  void start(Layout layout) override {
    layout_ = layout;
    bucket_ = fmt::format("policies-{}", ++starts_);  // one that holds nothing
    server_.make_bucket(bucket_);
    wire_ = std::make_unique<servers::Relay>(server_.port());
  }

  Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& access,
                                                      const io::Services& services) override {
    io::Services mine = services;
    const std::string secret = access.good_credentials ? servers::swift_secret_key() : wrong_secret;
    mine.env = [secret](const std::string& name) -> std::optional<std::string> {
      if (name == "AWS_ACCESS_KEY_ID") return servers::swift_access_key();
      if (name == "AWS_SECRET_ACCESS_KEY") return secret;
      return std::nullopt;
    };
    Settings settings;
    settings.set("endpoint", fmt::format("http://127.0.0.1:{}", wire_->port()), "");
    settings.set("bucket", bucket_, "");
    settings.set("path", path_template(layout_), "");
    // One process serves all: so it has time left for those who look on.
    settings.set("concurrency", std::int64_t{2}, "");
    settings.set("timeout", access.timeout.count(), "");
    return providers::aws::s3_kind().make(settings, mine);
  }

  std::optional<std::string> stored(const std::string& domain) override {
    return server_.get(bucket_, key_of(domain));
  }
  void put(const std::string& domain, const std::string& body) override {
    server_.put(bucket_, key_of(domain), body);
  }
  void drop(const std::string& domain) override { server_.drop(bucket_, key_of(domain)); }

  std::vector<std::string> leftovers(const std::vector<std::string>& domains) override {
    std::vector<std::string> others = server_.keys(bucket_);
    for (const std::string& domain : domains)
      std::erase(others, key_of(domain));
    return others;
  }

  std::vector<std::string> secrets() const override {
    return {servers::swift_secret_key(), wrong_secret};
  }
  servers::Relay& wire() override { return *wire_; }

 private:
  std::string key_of(const std::string& domain) const {
    return replaced(path_template(layout_), "{domain}", domain);
  }

  servers::Swift server_;
  std::unique_ptr<servers::Relay> wire_;
  Layout layout_ = Layout::usual;
  std::string bucket_;
  int starts_ = 0;
};

const bool swift = add_host_world({
    .name = "swift",
    .make = [] { return std::make_unique<SwiftWorld>(); },
    .lacks =
        {
            {HostNeed::permissions, "its lists of who may are for whole buckets"},
            {HostNeed::disk, "its devices are folders of the machine's own disk"},
            {HostNeed::folders, "a store has objects and no folders"},
        },
    .fleet = 100,
});

}  // namespace
}  // namespace stsctl::contract
