#pragma once
// Policies of many domains in one repository, which another system deploys. Reads by one listing,
// writes all in one commit.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "providers/github/client.h"
#include "providers/github/edit.h"
#include "providers/github/options.h"
#include "providers/policy_path.h"
#include "providers/provider.h"

namespace stsctl::providers::github {

class Repository final : public PolicyHost {
 public:
  Repository(std::unique_ptr<Client> client, Options options, PolicyPath path,
             const io::Services& services)
      : client_(std::move(client)),
        options_(std::move(options)),
        path_(std::move(path)),
        services_(services) {}

  /// Two requests, and one for every different policy that was not read or written before.
  std::vector<Result<std::optional<std::string>>> read(const std::vector<dns::Name>& domains,
                                                       const Watch& watch) override;
  /// Six requests for 500 edits, one more for each further 500. The branch only moves forward from
  /// the commit that was looked at: when it has moved we look again.
  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch) override;
  std::size_t write_requests(std::size_t policies) const override;
  /// What was read for the plan, or written, is not fetched again.
  std::size_t read_requests(std::size_t policies) const override { return policies > 0 ? 2 : 0; }
  std::vector<io::Rate> rates() const override { return client_->rates(); }
  std::optional<plan::Address> address(const dns::Name& /*domain*/) const override {
    return options_.address;
  }
  Duration edge_delay() const override { return options_.edge_delay; }

 private:
  using Paths = std::set<std::string, std::less<>>;
  using Bodies = std::map<std::string, Result<std::string>>;  // by SHA

  /// The branch at one commit: what is at the paths asked for and at the folders above them.
  struct Snapshot {
    std::string commit;
    Entries entries;
  };

  Paths paths_of(const std::vector<dns::Name>& domains) const;
  Result<Snapshot> look(const Paths& paths, const std::stop_token& stop) const;
  Result<Entries> walk(const std::string& commit, const Paths& paths,
                       const std::stop_token& stop) const;
  static Result<std::optional<std::string>> body_at(const std::string& path, const Snapshot& now,
                                                    const Bodies& contents);
  Bodies bodies(const Entries& entries, const Watch& watch);
  std::optional<Result<Done>> judged(const plan::PolicyEdit& edit, const Snapshot& now) const;
  Result<Done> commit(const Snapshot& now, const std::vector<plan::PolicyEdit>& edits);

  const std::unique_ptr<Client> client_;
  const Options options_;
  const PolicyPath path_;
  const io::Services services_;
  std::mutex writing_;
  std::mutex guard_;
  std::map<std::string, std::string> known_;  ///< Bodies by SHA; under guard_.
};

}  // namespace stsctl::providers::github
