#include "rollout/published.h"

#include <gtest/gtest.h>

#include "sts/policy_id.h"
#include "sts/record.h"

namespace stsctl::rollout {
namespace {

using std::chrono::days;

const dns::Name domain = *dns::Name::parse("example.com");
const Time when{days{20000}};

const Rollout rollout{.name = "short",
                      .stages = {{.mode = sts::Mode::testing, .max_age = days{1}, .lasts = days{5}},
                                 {.mode = sts::Mode::enforce, .max_age = days{7}}}};

sts::Policy policy(sts::Mode mode, Duration max_age, const std::string& mx = "mail.example.com") {
  return {mode, {*sts::parse_mx_pattern(mx)}, max_age};
}
const sts::Policy first = policy(sts::Mode::testing, days{1});
const sts::Policy second = policy(sts::Mode::enforce, days{7});

std::string own_id(const std::string& digest) {
  return sts::format_policy_id({when, Day{days{20010}}, digest});
}
std::string own_id(const sts::Policy& announced) {
  return own_id(sts::policy_digest(announced));
}

// What is there; an empty id is no record.
Published read(const std::optional<std::string>& served, const std::string& id,
               bool mx_live = false) {
  plan::NameState sts{domain, {}};
  if (!id.empty())
    sts.sets.push_back(*dns::make_record_set(domain.under("_mta-sts"), dns::Type::txt,
                                             Duration{300}, {sts::format_sts_record({id})}));
  const plan::NameState absent{domain, {}};
  const plan::Observed observed{domain, sts,    absent,
                                absent, served, plan::LiveMx{.hosts = {domain.under("mail")}}};
  plan::Desired desired{.domain = domain, .policy = first, .mx_live = mx_live};
  if (mx_live) desired.policy->mx.clear();
  return read_published(rollout, desired, observed);
}

TEST(ReadPublished, KnowsSinceWhenFromItsOwnId) {
  EXPECT_EQ(read(sts::format_policy(first), own_id(first)), (Published{first, when}));
  const auto leaving = sts::policy_digest(first, first.mx);
  EXPECT_EQ(read(sts::format_policy(first), own_id(leaving)), (Published{first, when}));
}

TEST(ReadPublished, DoesNotBelieveAnIdOfAnotherPolicy) {
  // An apply that stopped between file and id.
  EXPECT_EQ(read(sts::format_policy(second), own_id(first)), (Published{second, {}}));
  EXPECT_EQ(read(sts::format_policy(first), own_id(second)), (Published{first, {}}));
}

TEST(ReadPublished, KnowsNoBeginOfForeignIds) {
  EXPECT_EQ(read(sts::format_policy(first), "20260101000000"), (Published{first, {}}));
  EXPECT_EQ(read(sts::format_policy(first), ""), (Published{first, {}}));
}

TEST(ReadPublished, FindsNothingWhereThereIsNothing) {
  EXPECT_EQ(read({}, ""), Published{});
  EXPECT_EQ(read({}, "20260101000000"), Published{});
  EXPECT_EQ(read("no policy", ""), Published{});
  // An apply that stopped after it adopted a foreign id.
  EXPECT_EQ(read({}, own_id(std::string(sts::no_policy_digest))), Published{});
}

TEST(ReadPublished, TellsTheStageOfALostPolicyFromItsId) {
  EXPECT_EQ(read({}, own_id(second)), (Published{second, {}}));
  EXPECT_EQ(read("no policy", own_id(second)), (Published{second, {}}));
  EXPECT_EQ(read({}, own_id(second), true), (Published{second, {}}));
}

TEST(ReadPublished, SaysThatAPolicyIsLost) {
  const Published lost{.policy = {}, .since = {}, .lost = true};
  EXPECT_EQ(read({}, own_id(policy(sts::Mode::enforce, days{9}))), lost);
  EXPECT_EQ(read({}, own_id(policy(sts::Mode::enforce, days{7}, "other.example.com"))), lost);
}

}  // namespace
}  // namespace stsctl::rollout
