#include "reports/gunzip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/gzip.h"

namespace stsctl::reports {
namespace {

using ::testing::HasSubstr;

TEST(Gunzip, GivesBackWhatWasPacked) {
  for (const std::size_t size : {0U, 1U, 1000U, 16384U, 100'000U}) {
    const std::string text(size, 'x');
    const auto back = gunzip(gzip(text), 100'000);
    ASSERT_TRUE(back) << size;
    EXPECT_EQ(*back, text);
  }
}

TEST(Gunzip, SeveralMembersAreOneText) {
  EXPECT_EQ(gunzip(gzip("one ") + gzip("two"), 100), "one two");
}

TEST(Gunzip, PaddingAfterTheEndIsLeftOut) {
  EXPECT_EQ(gunzip(gzip("one") + "\r\n\r\n", 100), "one");
}

TEST(Gunzip, StopsABomb) {
  std::string bomb;
  for (int i = 0; i < 8; ++i)
    bomb += gzip(std::string(std::size_t{4} << 20U, '\0'));
  const auto back = gunzip(bomb, std::size_t{1} << 20U);
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().what, HasSubstr("inflates to more than"));
}

TEST(Gunzip, RefusesWhatIsBroken) {
  const std::string good = gzip(std::string(5000, 'x'));
  EXPECT_THAT(gunzip(good.substr(0, good.size() - 4), 10'000).error().what, HasSubstr("cut off"));
  std::string damaged = good;
  damaged[damaged.size() - 6] = static_cast<char>(~damaged[damaged.size() - 6]);
  EXPECT_THAT(gunzip(damaged, 10'000).error().what, HasSubstr("damaged"));
  EXPECT_FALSE(gunzip("", 10));
  EXPECT_FALSE(gunzip("{}", 10));
}

TEST(Gunzip, SeesGzip) {
  EXPECT_TRUE(is_gzip(gzip("")));
  EXPECT_FALSE(is_gzip("{}"));
}

}  // namespace
}  // namespace stsctl::reports
