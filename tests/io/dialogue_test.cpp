// Talking to real programs: turns, silence, ends, and the folder they leave things in.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/files.h"
#include "io/process.h"
#include "servers/running.h"

namespace stsctl::io {
namespace {

using testing::HasSubstr;
using Ending = Heard::Ending;

constexpr Duration patience{20};

std::unique_ptr<Dialogue> talk_to(const std::string& script) {
  return std::move(*real_process()->start({"sh", "-c", script}));
}

TEST(Dialogue, TakesTurns) {
  const auto shell = talk_to("while read word; do echo \"heard $word\"; done; exit 3");
  const Heard first = shell->exchange("one\n", "heard one\n", patience, {});
  EXPECT_EQ(first.ending, Ending::said);
  EXPECT_EQ(first.text, "heard one\n");
  EXPECT_EQ(shell->exchange("two\n", "two\n", patience, {}).text, "heard two\n");
  const Heard last = shell->finish(patience);
  EXPECT_EQ(last.ending, Ending::ended);
  EXPECT_EQ(last.status, 3);
}

TEST(Dialogue, HearsBothStreamsInOrder) {
  const auto shell = talk_to("for i in 1 2 3; do echo out$i; echo err$i >&2; done");
  EXPECT_EQ(shell->finish(patience).text, "out1\nerr1\nout2\nerr2\nout3\nerr3\n");
}

TEST(Dialogue, EndsWithTheProgram) {
  const auto shell = talk_to("read word; echo bye >&2; exit 255");
  const Heard heard = shell->exchange("go\n", "never said", patience, {});
  EXPECT_EQ(heard.ending, Ending::ended);
  EXPECT_EQ(heard.text, "bye\n");
  EXPECT_EQ(heard.status, 255);
  // Whoever goes on talking is told the same and not killed by a signal.
  const Heard again = shell->exchange(std::string(1 << 20, 'x'), "never said", patience, {});
  EXPECT_EQ(again.ending, Ending::ended);
  EXPECT_EQ(again.status, 255);
}

TEST(Dialogue, ProgramThatStopsReadingIsHeardToTheEnd) {
  const auto shell = talk_to("exec 0<&-; sleep 0.2; echo late");
  const Heard heard = shell->exchange(std::string(1 << 20, 'x'), "never said", patience, {});
  EXPECT_EQ(heard.ending, Ending::ended);
  EXPECT_EQ(heard.text, "late\n");
}

TEST(Dialogue, EndIsSeenThoughAChildKeepsTheStreamsOpen) {
  const auto shell = talk_to("sleep 100 & echo mine; exit 4");
  const Heard heard = shell->exchange("", "never said", patience, {});
  EXPECT_EQ(heard.ending, Ending::ended);
  EXPECT_EQ(heard.text, "mine\n");
  EXPECT_EQ(heard.status, 4);
}

TEST(Dialogue, SilenceEndsItAndEveryPieceCountsAnew) {
  const auto shell = talk_to("for i in 1 2 3 4; do sleep 0.5; echo $i; done; sleep 100");
  const Heard heard = shell->exchange("", "never said", Duration{1}, {});
  EXPECT_EQ(heard.ending, Ending::silent);
  EXPECT_EQ(heard.text, "1\n2\n3\n4\n");
}

TEST(Dialogue, EndlessTalkEndsIt) {
  const Heard heard = talk_to("yes")->exchange("", "never said", patience, {});
  EXPECT_EQ(heard.ending, Ending::silent);
  EXPECT_LT(heard.text.size(), std::size_t{2} << 20U);
}

TEST(Dialogue, StopEndsIt) {
  std::stop_source stop;
  const auto shell = talk_to("echo begun; sleep 100");
  EXPECT_EQ(shell->exchange("", "begun\n", patience, stop.get_token()).ending, Ending::said);
  const std::jthread later([&] { stop.request_stop(); });
  EXPECT_EQ(shell->exchange("", "never said", patience, stop.get_token()).ending,
            Ending::cancelled);
}

TEST(Dialogue, TakesItsChildrenAlong) {
  const servers::Folder folder;
  {
    const auto shell = talk_to("sleep 100 & echo $! > " + folder.file("pid") + "; echo up; wait");
    EXPECT_EQ(shell->exchange("", "up\n", patience, {}).ending, Ending::said);
  }
  std::string pid;
  std::ifstream(folder.file("pid")) >> pid;
  EXPECT_TRUE(servers::wait_until([&] {
    std::ifstream state("/proc/" + pid + "/stat");
    std::string number;
    std::string name;
    std::string word;
    return !(state >> number >> name >> word) || word == "Z";
  }));
}

TEST(Dialogue, NoSuchProgram) {
  const auto none = real_process()->start({"no-such-program-anywhere"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
}

TEST(Scratch, IsPrivateAndGoes) {
  const auto files = real_files();
  std::string path;
  {
    const auto scratch = std::move(*files->scratch());
    path = scratch->path();
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
    ASSERT_TRUE(scratch->write("up", "long body", 0640));
    ASSERT_TRUE(scratch->write("up", "body", 0644));
    EXPECT_EQ(static_cast<unsigned>(std::filesystem::status(path + "/up").permissions()), 0644U);
    EXPECT_EQ(*scratch->take("up", 100), "body");
    EXPECT_EQ(scratch->take("up", 100).error().code, Code::not_found);
    ASSERT_TRUE(scratch->write("up", "body", 0644));
    EXPECT_EQ(scratch->take("up", 3).error().code, Code::invalid);
    EXPECT_FALSE(std::filesystem::exists(path + "/up"));
    ASSERT_TRUE(scratch->write("left", "behind", 0400));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace stsctl::io
