#pragma once
// What every case of the contract suite starts from: a world with the usual zones, providers on it,
// and a search of all that was said for secrets at the end.

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns_world.h"
#include "servers/real_services.h"
#include "tests/fakes/hasty_clock.h"
#include "tests/fakes/records.h"

namespace stsctl::contract {

using fakes::cname;
using fakes::name;
using fakes::set_of;
using fakes::txt;
using plan::RecordEdit;
using providers::DnsProvider;
using providers::Watch;
using providers::ZoneQuery;

/// One world, and for some suites one trouble that can happen there.
struct WorldCase {
  const WorldKind* kind = nullptr;
  Trouble trouble = Trouble::failing;
};
std::vector<WorldCase> all_worlds();
std::vector<WorldCase> worlds_with(Need need, std::optional<Need> also = {});
/// Every pair of a world and one of `troubles` that it is not spared.
std::vector<WorldCase> worlds_in(const std::vector<Trouble>& troubles);
std::string world_name(const testing::TestParamInfo<WorldCase>& entry);
std::string trouble_name(const testing::TestParamInfo<WorldCase>& entry);
void PrintTo(const WorldCase& one, std::ostream* out);

/// example.com with records of every kind, sub.example.com inside it, and example.org, empty.
std::vector<ZoneSeed> usual_zones();
/// The line of a TXT record.
std::string txt_line(const std::string& owner, const std::string& value, int ttl = 300);

class DnsContract : public testing::TestWithParam<WorldCase> {
 protected:
  DnsContract();
  ~DnsContract() override;
  void TearDown() override;

  const WorldKind& kind() const { return *GetParam().kind; }
  DnsWorld& world() const { return world_; }

  void start(const std::vector<ZoneSeed>& zones);
  /// A provider that has looked for no zone yet. It lives as long as the test does.
  DnsProvider& open(const Access& access = {});
  /// The one that the shorter calls below use: of the usual Access, with every zone looked for, as
  /// the engine does before all else.
  DnsProvider& provider();
  /// From now on that is one of this Access.
  DnsProvider& use(const Access& access);
  /// From the next open() on: waiting takes no time.
  void hurry() { hasty_ = true; }
  /// From the next open() on: the program was asked to end when this is requested.
  void stop_by(std::stop_token stop) { stop_ = std::move(stop); }

  /// Reads one owner.
  Result<std::vector<dns::RecordSet>> read(const std::string& zone, const std::string& owner);
  /// The same; a failure ends the case.
  std::vector<dns::RecordSet> must_read(const std::string& zone, const std::string& owner);
  Result<Done> write(const std::string& zone, const std::vector<RecordEdit>& edits);
  /// The same while the world holds it on its way, after the provider has compared; `meanwhile`
  /// happens then, and `then` to the request after that.
  Result<Done> write_held(const std::string& zone, const std::vector<RecordEdit>& edits,
                          const std::function<void()>& meanwhile,
                          const std::optional<Fault>& then = {});
  /// The same; a failure is one of the test.
  void must_write(const std::string& zone, const std::vector<RecordEdit>& edits);
  /// Notes the Error for the search for secrets.
  template <class T>
  const Result<T>& said(const Result<T>& result) {
    if (!result) note(to_string(result.error()));
    return result;
  }

  /// The data of one set, as the world sees it.
  std::vector<std::string> sees(const std::string& owner, const std::string& type,
                                const std::string& zone = "example.com") const;
  servers::RealServices& machine() { return machine_; }

 private:
  void note(std::string text);
  void search_for_secrets() const;

  DnsWorld& world_;
  servers::RealServices machine_;
  fakes::HastyClock hasty_clock_;
  bool hasty_ = false;
  std::stop_token stop_;
  std::vector<std::unique_ptr<DnsProvider>> opened_;
  DnsProvider* usual_ = nullptr;
  std::vector<dns::Name> zones_;
  std::mutex guard_;
  std::vector<std::string> noted_;
};

}  // namespace stsctl::contract
