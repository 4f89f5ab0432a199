#include "serve/access_log.h"

#include <filesystem>
#include <latch>

#include <gtest/gtest.h>

#include "io/files.h"
#include "servers/running.h"

namespace stsctl::serve {
namespace {

using servers::wait_until;

std::string text_of(const std::string& file) {
  return io::real_files()->read(file, 1U << 24U).value_or("");
}

TEST(AccessLog, AppendsToItsFileAndFinishesAtItsEnd) {
  const servers::Folder folder;
  const std::string file = folder.write("log", "before\n");
  {
    const auto log = AccessLog::open(file);
    ASSERT_TRUE(log);
    for (int i = 0; i < 100; ++i)
      (*log)->append("line\n");
  }
  EXPECT_EQ(text_of(file).size(), 7U + 100U * 5U);
  EXPECT_TRUE(text_of(file).starts_with("before\nline\n"));
}

TEST(AccessLog, OpensItsFileAnewWhenTold) {
  const servers::Folder folder;
  const std::string file = folder.file("log");
  const auto log = AccessLog::open(file);
  ASSERT_TRUE(log);
  (*log)->append("one\n");
  ASSERT_TRUE(wait_until([&] { return text_of(file) == "one\n"; }));
  std::filesystem::rename(file, file + ".1");
  (*log)->append("two\n");
  ASSERT_TRUE(wait_until([&] { return text_of(file + ".1") == "one\ntwo\n"; }));
  (*log)->reopen();
  (*log)->append("three\n");
  ASSERT_TRUE(wait_until([&] { return text_of(file) == "three\n"; }));
  EXPECT_EQ(text_of(file + ".1"), "one\ntwo\n");
}

TEST(AccessLog, NeverHoldsItsCallersUp) {
  std::latch blocked(1);
  AccessLog log([&](std::string_view) {
    blocked.wait();
    return true;
  });
  const std::string lines(1000, '\n');
  for (int i = 0; i < 3000; ++i)
    log.append(lines);
  // At most a mebibyte waits, beside what the writer holds.
  EXPECT_GT(log.lost(), 3'000'000U - 2 * (1U << 20U));
  blocked.count_down();
}

TEST(AccessLog, CountsWhatCouldNotBeWritten) {
  AccessLog log([](std::string_view) { return false; });
  log.append("one\ntwo\n");
  EXPECT_TRUE(wait_until([&] { return log.lost() == 2; }));
}

TEST(AccessLog, SaysWhyItCannotBeOpened) {
  const servers::Folder folder;
  const auto log = AccessLog::open(folder.path());
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().where, folder.path());
  EXPECT_EQ(log.error().what, "cannot write the access log: Is a directory");
}

}  // namespace
}  // namespace stsctl::serve
