// When writers may start so that they do not meet in the database.

#include "providers/powerdns/spacing.h"

#include <gtest/gtest.h>

namespace stsctl::providers::powerdns {
namespace {

using std::chrono::milliseconds;

Spacing::Moment at(int milli) {
  return Spacing::Moment{} + milliseconds(milli);
}

TEST(Spacing, WritersThatComeTogetherStartOneAfterTheOther) {
  Spacing spacing(4);
  spacing.took(milliseconds(80));  // nine tenths of 20 ms apart
  EXPECT_EQ(spacing.wait(at(1000)), milliseconds(0));
  EXPECT_EQ(spacing.wait(at(1000)), milliseconds(18));
  EXPECT_EQ(spacing.wait(at(1000)), milliseconds(36));
  EXPECT_EQ(spacing.wait(at(1050)), milliseconds(4));
}

TEST(Spacing, WhoComesLateDoesNotWait) {
  Spacing spacing(4);
  spacing.took(milliseconds(80));
  EXPECT_EQ(spacing.wait(at(1000)), milliseconds(0));
  EXPECT_EQ(spacing.wait(at(1018)), milliseconds(0));
  EXPECT_EQ(spacing.wait(at(5000)), milliseconds(0));
}

TEST(Spacing, FollowsHowLongWritesTake) {
  Spacing spacing(2);
  spacing.took(milliseconds(80));
  spacing.took(milliseconds(160));  // on average 90
  EXPECT_EQ(spacing.wait(at(0)), milliseconds(0));
  EXPECT_EQ(spacing.wait(at(0)), std::chrono::microseconds(40'500));
}

TEST(Spacing, OneWriterAndTheFirstWriteNeverWait) {
  Spacing alone(1);
  alone.took(milliseconds(80));
  Spacing fresh(8);
  for (Spacing* spacing : {&alone, &fresh})
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(spacing->wait(at(1000)), milliseconds(0));
}

}  // namespace
}  // namespace stsctl::providers::powerdns
