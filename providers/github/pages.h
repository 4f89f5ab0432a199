#pragma once
// One repository a domain, served by GitHub Pages.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "providers/github/client.h"
#include "providers/github/options.h"
#include "providers/policy_path.h"
#include "providers/provider.h"

namespace stsctl::providers::github {

class Pages final : public PolicyHost {
 public:
  /// `path`: of the policy in each repository, ".well-known/mta-sts.txt" or below "docs/".
  Pages(std::unique_ptr<Client> client, Options options, std::string path,
        const io::Services& services)
      : client_(std::move(client)),
        options_(std::move(options)),
        path_(std::move(path)),
        services_(services) {}

  /// One request a domain. After a write by this object: Code::timeout until Pages has built the
  /// commit, Code::internal if it could not.
  std::vector<Result<std::optional<std::string>>> read(const std::vector<dns::Name>& domains,
                                                       const Watch& watch) override;
  /// Three requests a domain, three more for the first policy, one domain after the other. Nothing
  /// is written where Pages does not serve what is written: off, another branch or folder, private,
  /// or for another name. What else the site needs (CNAME, .nojekyll) is written before the policy
  /// if it is missing.
  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch) override;
  std::size_t write_requests(std::size_t policies) const override { return 6 * policies; }
  std::size_t read_requests(std::size_t policies) const override { return policies; }
  std::vector<io::Rate> rates() const override;
  std::optional<plan::Address> address(const dns::Name& /*domain*/) const override {
    return options_.address;
  }
  Duration edge_delay() const override { return options_.edge_delay; }

 private:
  /// A commit of ours that Pages may not have built yet.
  struct Pending {
    std::string commit;
    std::optional<std::string> body;
    std::chrono::steady_clock::time_point next_look;
    std::chrono::seconds pause;
  };
  /// Where a domain's files are.
  struct Place {
    std::string repository;
    std::string host;  ///< "mta-sts.example.com"
  };

  /// Who builds the site.
  enum class Builder {
    branch,    ///< Pages itself, from the branch: it needs CNAME and .nojekyll.
    workflow,  ///< A workflow of the repository, which knows what it needs.
    unknown,   ///< The token may not ask.
  };

  Place place_of(const dns::Name& domain) const {
    return {fill_in(options_.repository, domain), "mta-sts." + domain.text()};
  }
  /// The site's root in the repository: "", or "docs/".
  std::string root() const;
  Result<std::optional<std::string>> read_one(const dns::Name& domain);
  Result<std::optional<std::string>> read_built(const Place& place, Pending& pending) const;
  Result<Done> write_one(const plan::PolicyEdit& edit);
  Result<Tree> look(const Place& place) const;
  Result<std::string> commit(const Place& place, const plan::PolicyEdit& edit, const Tree& tree,
                             Builder builder) const;
  Result<Builder> check_site(const Place& place);
  void report_certificate(const Place& place, const Site& site) const;
  Result<Done> prepare(const Place& place, const Tree& tree) const;
  Result<Done> prepare_cname(const Place& place, const Tree& tree) const;
  void expect_build(const Place& place, const std::string& commit, const plan::PolicyEdit& edit);

  const std::unique_ptr<Client> client_;
  const Options options_;
  const std::string path_;
  const io::Services services_;
  std::mutex writing_;
  std::mutex guard_;
  std::map<std::string, Pending> pending_;  ///< By repository; under guard_.
  bool told_of_permission_ = false;         ///< Under writing_.
};

}  // namespace stsctl::providers::github
