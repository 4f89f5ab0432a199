#include "providers/cloudflare/worker_edit.h"

#include <gtest/gtest.h>

namespace stsctl::providers::cloudflare {
namespace {

using Body = std::optional<std::string>;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

plan::PolicyEdit edit(const Body& before, const Body& after) {
  const auto file = [](const Body& body) {
    return body ? std::optional(plan::PolicyFile{name("example.com"), *body}) : std::nullopt;
  };
  return {file(before), file(after)};
}

const CustomDomain ours{"0a", "mta-sts.example.com", "policies"};
const CustomDomain theirs{"0b", "mta-sts.example.com", "site"};

Published published(const Body& text, const std::vector<CustomDomain>& domains) {
  return {"policies", text ? Policies{{name("example.com"), *text}} : Policies{}, domains};
}

struct Case {
  const char* what;
  Body before, after;
  Body text;  // in the script
  std::vector<CustomDomain> domains;
  bool writes, attaches, detaches;
};

TEST(WorkerEdit, KnowsWhatIsLeftToDo) {
  for (const Case& one : std::vector<Case>{
           {"a first policy", {}, "1", {}, {}, true, true, false},
           {"a change", "1", "2", "1", {ours}, true, false, false},
           {"nothing", "1", "2", "2", {ours}, false, false, false},
           {"its Custom Domain only", {}, "1", "1", {}, false, true, false},
           {"what is served nowhere is replaced", {}, "2", "1", {}, true, true, false},
           {"a Custom Domain that leads nowhere", {}, "1", {}, {ours}, true, false, false},
           {"a removal", "1", {}, "1", {ours}, true, false, true},
           {"the second half of one", "1", {}, "1", {}, true, false, false},
           {"its first half", "1", {}, {}, {ours}, false, false, true},
           {"a removal that is done", "1", {}, {}, {}, false, false, false},
           {"a removal where another Worker answers",
            "1",
            {},
            {},
            {theirs},
            false,
            false,
            false}}) {
    const auto work = work_for(edit(one.before, one.after), published(one.text, one.domains));
    ASSERT_TRUE(work) << one.what << ": " << to_string(work.error());
    EXPECT_EQ(work->text, one.writes) << one.what;
    EXPECT_EQ(work->attach, one.attaches) << one.what;
    EXPECT_EQ(work->detach, one.detaches ? std::optional(ours) : std::nullopt) << one.what;
    EXPECT_EQ(work->none(), !one.writes && !one.attaches && !one.detaches) << one.what;
  }
}

struct Refusal {
  const char* what;
  Body before, after;
  Body text;
  std::vector<CustomDomain> domains;
  Code code;
};

TEST(WorkerEdit, KnowsWhatIsNotToBeDone) {
  for (const Refusal& one :
       std::vector<Refusal>{{"changed", "1", "2", "7", {ours}, Code::conflict},
                            {"appeared", {}, "2", "7", {ours}, Code::conflict},
                            {"detached by hand", "1", "2", "1", {}, Code::conflict},
                            {"changed, to go", "1", {}, "7", {ours}, Code::conflict},
                            {"another Worker's host name", {}, "2", {}, {theirs}, Code::refused}}) {
    const auto work = work_for(edit(one.before, one.after), published(one.text, one.domains));
    ASSERT_FALSE(work) << one.what;
    EXPECT_EQ(work.error().code, one.code) << one.what;
    EXPECT_EQ(work.error().where, "mta-sts.example.com");
  }
}

TEST(WorkerEdit, ServedIsWhatIsInTheScriptAndAttached) {
  EXPECT_EQ(published("1", {ours}).served(name("example.com")), "1");
  EXPECT_EQ(published("1", {}).served(name("example.com")), std::nullopt);
  EXPECT_EQ(published("1", {theirs}).served(name("example.com")), std::nullopt);
  EXPECT_EQ(published({}, {ours}).served(name("example.com")), std::nullopt);
}

TEST(WorkerEdit, HostNamesAreTheSameHoweverTheyAreShown) {
  const dns::Name domain = name("xn--bcher-kva.example");
  for (const char* shown : {"mta-sts.xn--bcher-kva.example", "MTA-STS.xn--bcher-kva.Example",
                            "mta-sts.b\xc3\xbc"
                            "cher.example"})
    EXPECT_NE(Published("w", {}, {{"0a", shown, "w"}}).attached(domain), nullptr) << shown;
  for (const char* other : {"bcher.example", "mta-sts.example", "*.example", ""})
    EXPECT_EQ(Published("w", {}, {{"0a", other, "w"}}).attached(domain), nullptr) << other;
}

TEST(WorkerEdit, EditsAreMade) {
  Policies policies{{name("example.com"), "1"}, {name("example.org"), "o"}};
  carry_out(edit("1", "2"), policies);
  EXPECT_EQ(policies, (Policies{{name("example.com"), "2"}, {name("example.org"), "o"}}));
  carry_out(edit("2", {}), policies);
  EXPECT_EQ(policies, (Policies{{name("example.org"), "o"}}));
  carry_out(edit("2", {}), policies);
  EXPECT_EQ(policies, (Policies{{name("example.org"), "o"}}));
}

}  // namespace
}  // namespace stsctl::providers::cloudflare
