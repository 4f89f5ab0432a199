// When a write that compares by reading may go on.

#include "providers/expected.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/records.h"

namespace stsctl::providers {
namespace {

using fakes::cname;
using fakes::name;
using fakes::txt;
using plan::RecordEdit;

const dns::RecordSet old_id = txt("_mta-sts.example.com", {"v=STSv1; id=1;"});
const dns::RecordSet new_id = txt("_mta-sts.example.com", {"v=STSv1; id=2;"});

TEST(CheckExpected, GoesOnFromBeforeAndFromAfterOnly) {
  const RecordEdit edit{old_id, new_id};
  EXPECT_TRUE(check_expected({old_id}, {edit}));
  EXPECT_TRUE(check_expected({new_id}, {edit}));
  for (const std::vector<dns::RecordSet>& live :
       {std::vector<dns::RecordSet>{},
        {txt("_mta-sts.example.com", {"v=STSv1; id=3;"})},
        {txt("_mta-sts.example.com", {"v=STSv1; id=1;"}, 600)}}) {
    const auto expected = check_expected(live, {edit});
    ASSERT_FALSE(expected);
    EXPECT_EQ(expected.error().code, Code::conflict);
  }
}

TEST(CheckExpected, LeavesAloneWhatIsLocked) {
  const std::vector<dns::RecordSet> live{dns::unreadable_set(name("_mta-sts.example.com"), "TXT"),
                                         old_id, txt("_mta-sts.b.example", {"v=STSv1; id=1;"})};
  for (const RecordEdit& edit :
       {RecordEdit{old_id, new_id}, RecordEdit{old_id, std::nullopt},
        RecordEdit{std::nullopt, cname("_mta-sts.example.com", "other.example")}}) {
    const auto expected = check_expected(live, {edit});
    ASSERT_FALSE(expected);
    EXPECT_EQ(expected.error().code, Code::refused);
    EXPECT_EQ(expected.error().what,
              "_mta-sts.example.com holds TXT records that cannot be read, which stsctl does not "
              "replace");
    EXPECT_FALSE(expected.error().hint.empty());
  }
  EXPECT_TRUE(check_expected(live, {{txt("_mta-sts.b.example", {"v=STSv1; id=1;"}), std::nullopt}}))
      << "other names are free";
  EXPECT_TRUE(check_expected(live, {{std::nullopt, old_id}})) << "what is there already is done";
}

}  // namespace
}  // namespace stsctl::providers
