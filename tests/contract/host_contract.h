#pragma once
// What every case of the contract suite for hosts starts from: a world that stores nothing, hosts
// on it, and a search of all that was said for secrets at the end.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_world.h"
#include "servers/real_services.h"

namespace stsctl::contract {

using providers::PolicyHost;

std::vector<const HostWorldKind*> all_host_worlds();
std::vector<const HostWorldKind*> host_worlds_with(HostNeed need);
/// Those whose policies of one write() come at once.
std::vector<const HostWorldKind*> host_worlds_together();
std::string host_world_name(const testing::TestParamInfo<const HostWorldKind*>& entry);

/// A policy in the form stsctl writes it, another one for another `max_age`.
std::string policy(int max_age);
/// An edit of one domain's policy; none: there is none.
plan::PolicyEdit edit(const std::string& domain, const std::optional<std::string>& before,
                      const std::optional<std::string>& after);

class HostContract : public testing::TestWithParam<const HostWorldKind*> {
 protected:
  HostContract();
  void SetUp() override { world().start(Layout::usual); }
  void TearDown() override;

  const HostWorldKind& kind() const { return *GetParam(); }
  HostWorld& world() const { return world_; }
  const servers::RealServices& machine() const { return machine_; }

  /// A host of this access. It lives as long as the test does.
  PolicyHost& open(const HostAccess& access = {});

  using Body = std::optional<std::string>;
  std::vector<Result<Body>> read(PolicyHost& host, const std::vector<std::string>& domains,
                                 const providers::Watch& watch = {});
  Result<Body> read_one(PolicyHost& host, const std::string& domain);
  /// The same; a failure is one of the test.
  Body must_read(PolicyHost& host, const std::string& domain);
  std::vector<Result<Done>> write(PolicyHost& host, const std::vector<plan::PolicyEdit>& edits,
                                  const providers::Watch& watch = {});
  Result<Done> write_one(PolicyHost& host, const plan::PolicyEdit& edit);
  /// The same; a failure is one of the test.
  void must_write(const plan::PolicyEdit& edit);

  /// Fails the test where an Error does not help: no code of `codes`, or nothing said.
  template <class T>
  static void expect_error(const Result<T>& result, const std::vector<Code>& codes) {
    ASSERT_FALSE(result);
    EXPECT_THAT(codes, testing::Contains(result.error().code)) << to_string(result.error());
    EXPECT_NE(result.error().what, "");
  }

 private:
  template <class T>
  void note(const std::vector<Result<T>>& results) {
    for (const Result<T>& result : results)
      if (!result) noted_.push_back(to_string(result.error()));
  }

  HostWorld& world_;
  servers::RealServices machine_;
  std::vector<std::unique_ptr<PolicyHost>> opened_;
  std::vector<std::string> noted_;
};

}  // namespace stsctl::contract
