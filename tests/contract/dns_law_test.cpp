// Laws that hold for every record set, tried with many made by chance. The seed is fixed: a failure
// repeats.

#include <algorithm>
#include <map>
#include <random>

#include <fmt/format.h>

#include "dns_contract.h"

namespace stsctl::contract {
namespace {

using testing::UnorderedElementsAreArray;

constexpr int rounds = 12;

class Chance {
 public:
  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(generator_); }

  // Text as it may stand in a TXT record: printable ASCII with what is special somewhere more
  // frequent, and letters of two and three bytes.
  std::string text() {
    static const std::vector<std::string> special{"\"", "\\",       ";",           " ",
                                                  "'",  "\xc3\xa4", "\xe2\x82\xac"};
    const int length = below(4) == 0 ? 200 + below(400) : 1 + below(40);
    std::string text;
    while (static_cast<int>(text.size()) < length)
      text += below(4) == 0 ? special[static_cast<std::size_t>(below(7))]
                            : std::string(1, static_cast<char>('!' + below(94)));
    return text;
  }

  dns::RecordSet set(const std::string& owner, int smallest_ttl) {
    std::vector<std::string> values;
    for (int i = 1 + below(3); i > 0; --i)
      values.push_back(text());
    return txt(owner, std::move(values), smallest_ttl + below(86400 - smallest_ttl));
  }

 private:
  std::mt19937 generator_{20261125};
};

class DnsLaws : public DnsContract {
 protected:
  void SetUp() override { start(usual_zones()); }
  int smallest_ttl() {
    return static_cast<int>(std::max(provider().capabilities().minimum_ttl, Duration{1}).count());
  }
};

// Write, then read, is what was written; to write that again is nothing; to take all back leaves
// the zone as it was.
TEST_P(DnsLaws, WhatIsWrittenIsRead) {
  Chance chance;
  const std::vector<Seen> before = world().look("example.com");
  ZoneQuery query{name("example.com"), {}};
  for (const char* label : {"_mta-sts.law", "_smtp._tls.law", "_mta-sts.law2"})
    query.owners.push_back(name(std::string(label) + ".example.com"));
  std::map<dns::Name, dns::RecordSet> live;
  for (int round = 0; round < rounds; ++round) {
    std::vector<RecordEdit> edits;
    for (const dns::Name& owner : query.owners) {
      RecordEdit edit;
      if (const auto found = live.find(owner); found != live.end()) edit.before = found->second;
      if (!edit.before || chance.below(4) != 0)
        edit.after = chance.set(owner.text(), smallest_ttl());
      live.erase(owner);
      if (edit.after) live.emplace(owner, *edit.after);
      edits.push_back(std::move(edit));
    }
    must_write("example.com", edits);
    const auto read_back = provider().read({query}, {}).front();
    ASSERT_TRUE(said(read_back)) << to_string(read_back.error());
    std::vector<dns::RecordSet> wanted;
    for (const auto& [owner, set] : live)
      wanted.push_back(set);
    ASSERT_THAT(*read_back, UnorderedElementsAreArray(wanted)) << "round " << round;

    std::vector<RecordEdit> same;
    for (const dns::RecordSet& set : *read_back)
      same.push_back({set, set});
    const std::uint64_t version = world().version("example.com");
    must_write("example.com", same);
    ASSERT_EQ(world().version("example.com"), version) << "round " << round;
  }
  std::vector<RecordEdit> removals;
  for (const auto& [owner, set] : live)
    removals.push_back({set, std::nullopt});
  must_write("example.com", removals);
  EXPECT_EQ(world().look("example.com"), before);
}

// The world sees the very bytes.
TEST_P(DnsLaws, TheBytesArrive) {
  Chance chance;
  std::vector<RecordEdit> edits;
  for (int i = 0; i < 100; ++i)
    edits.push_back(
        {std::nullopt, chance.set(fmt::format("_smtp._tls.b{}.example.com", i), smallest_ttl())});
  must_write("example.com", edits);
  std::map<std::string, std::vector<std::string>> seen;
  for (const Seen& one : world().look("example.com"))
    seen[one.owner].push_back(one.data);
  for (const RecordEdit& edit : edits)
    EXPECT_THAT(seen[edit.after->owner.text()], UnorderedElementsAreArray(edit.after->values));
}

INSTANTIATE_TEST_SUITE_P(Worlds, DnsLaws, testing::ValuesIn(all_worlds()), world_name);

class DnsBytes : public DnsContract {};

TEST_P(DnsBytes, EveryByteArrives) {
  start(usual_zones());
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all += static_cast<char>(byte);
  const auto set = txt("_smtp._tls.new.example.com", {all});
  must_write("example.com", {{std::nullopt, set}});
  EXPECT_EQ(sees("_smtp._tls.new.example.com", "TXT"), set.values);
  EXPECT_THAT(must_read("example.com", "_smtp._tls.new.example.com"), testing::ElementsAre(set));
}

INSTANTIATE_TEST_SUITE_P(Worlds, DnsBytes, testing::ValuesIn(worlds_with(Need::every_byte)),
                         world_name);

}  // namespace
}  // namespace stsctl::contract
