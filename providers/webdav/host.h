#pragma once
// The policy host at a web server that takes policies by HTTP. Knows no settings.

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "base/random.h"
#include "providers/provider.h"
#include "providers/webdav/client.h"
#include "providers/webdav/location.h"

namespace stsctl::providers::webdav {

/// How a body gets into its place.
enum class Replacing {
  ask,   ///< By PUT where the server is known to do that atomically, else by MOVE.
  move,  ///< PUT beside, then MOVE.
  put,   ///< PUT in its place.
};

struct Options {
  Location location;
  Replacing replacing = Replacing::ask;
  bool make_collections = true;
  plan::Address address = {};
  Duration edge_delay{0};
};

class Host final : public PolicyHost {
 public:
  Host(Client client, Options options, const io::Services& services);

  std::vector<Result<std::optional<std::string>>> read(const std::vector<dns::Name>& domains,
                                                       const Watch& watch) override;
  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch) override;

  std::size_t write_requests(std::size_t policies) const override;
  std::size_t read_requests(std::size_t policies) const override { return policies; }
  std::vector<io::Rate> rates() const override { return client_.rates(); }

  std::optional<plan::Address> address(const dns::Name& domain) const override;
  Duration edge_delay() const override { return options_.edge_delay; }

 private:
  Result<Done> write_one(const plan::PolicyEdit& edit);
  Result<Done> carry_out(const plan::PolicyEdit& edit, const Stored& live, int attempt);
  Result<Done> make_collections(const dns::Name& domain) const;
  Result<Done> put_beside(const dns::Name& domain, const std::string& body,
                          const Condition& condition) const;
  Result<Condition> condition_for(const std::string& url, const Stored& live, bool atomic,
                                  int attempt) const;
  Result<bool> puts_atomically(const dns::Name& domain);

  const Client client_;
  const Options options_;
  const io::Services services_;
  const std::string run_ = random_word();
  std::mutex asking_;
  std::map<std::string, bool> atomic_;  ///< By origin: what Client::puts_atomically() told.
};

}  // namespace stsctl::providers::webdav
