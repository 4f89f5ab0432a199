// Talking to real programs: turns, full pipes, silence, ends.

#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "io/process.h"
#include "servers/running.h"

namespace stsctl::io {
namespace {

constexpr Duration patience{20};

std::unique_ptr<Dialogue> talk_to(const std::string& script) {
  return std::move(*real_process()->start({"sh", "-c", script}));
}

// Exchanges until `until` has been heard, or the program says no more.
Turn hear(Dialogue& dialogue, std::string outgoing, std::string& heard, const std::string& until,
          Duration silence = patience) {
  while (true) {
    const Turn turn = dialogue.exchange(outgoing, heard, silence, {});
    if (turn != Turn::heard || (!until.empty() && heard.find(until) != std::string::npos))
      return turn;
  }
}

TEST(Dialogue, TakesTurns) {
  const auto shell = talk_to("while read word; do echo \"heard $word\"; done; exit 3");
  std::string heard;
  EXPECT_EQ(hear(*shell, "one\n", heard, "heard one\n"), Turn::heard);
  EXPECT_EQ(hear(*shell, "two\n", heard, "two\n"), Turn::heard);
  EXPECT_EQ(heard, "heard one\nheard two\n");
}

TEST(Dialogue, KeepsBothStreamsApart) {
  const auto shell = talk_to("for i in 1 2 3; do echo out$i; echo err$i >&2; done; exit 3");
  std::string heard;
  EXPECT_EQ(hear(*shell, "", heard, ""), Turn::ended);
  EXPECT_EQ(heard, "out1\nout2\nout3\n");
  EXPECT_EQ(shell->errors(), "err1\nerr2\nerr3\n");
  EXPECT_EQ(shell->status(), 3);
}

TEST(Dialogue, EndsWithTheProgram) {
  const auto shell = talk_to("read word; echo bye >&2; exit 255");
  std::string heard;
  EXPECT_EQ(hear(*shell, "go\n", heard, "never said"), Turn::ended);
  EXPECT_EQ(shell->errors(), "bye\n");
  EXPECT_EQ(shell->status(), 255);
  // Whoever goes on talking is told the same and not killed by a signal.
  EXPECT_EQ(hear(*shell, std::string(1 << 20, 'x'), heard, "never said"), Turn::ended);
  EXPECT_EQ(shell->status(), 255);
}

// Both pipes are full again and again: whoever waits for one of them alone waits for ever.
TEST(Dialogue, FullPipesOnBothSidesAreNoDeadlock) {
  const auto cat = talk_to("exec cat");
  const std::string sent(std::size_t{8} << 20U, 'x');
  std::string outgoing = sent;
  std::string heard;
  while (heard.size() < sent.size())
    ASSERT_EQ(cat->exchange(outgoing, heard, patience, {}), Turn::heard);
  EXPECT_EQ(outgoing, "");
  EXPECT_EQ(heard, sent);
}

TEST(Dialogue, ProgramThatStopsReadingIsHeardToTheEnd) {
  const auto shell = talk_to("exec 0<&-; sleep 0.2; echo late");
  std::string heard;
  EXPECT_EQ(hear(*shell, std::string(1 << 20, 'x'), heard, "never said"), Turn::ended);
  EXPECT_EQ(heard, "late\n");
}

TEST(Dialogue, EndIsSeenThoughAChildKeepsTheStreamsOpen) {
  const auto shell = talk_to("sleep 100 & echo mine; exit 4");
  std::string heard;
  EXPECT_EQ(hear(*shell, "", heard, "never said"), Turn::ended);
  EXPECT_EQ(heard, "mine\n");
  EXPECT_EQ(shell->status(), 4);
}

TEST(Dialogue, SilenceEndsItAndEveryPieceCountsAnew) {
  const auto shell = talk_to("for i in 1 2 3 4; do sleep 0.5; echo $i; done; sleep 100");
  std::string heard;
  EXPECT_EQ(hear(*shell, "", heard, "never said", Duration{1}), Turn::silent);
  EXPECT_EQ(heard, "1\n2\n3\n4\n");
}

TEST(Dialogue, EndlessErrorsAreNeitherKeptNorTakenForAnAnswer) {
  const auto shell = talk_to("exec yes >&2");
  std::string heard;
  EXPECT_EQ(hear(*shell, "", heard, "never said", Duration{1}), Turn::silent);
  EXPECT_EQ(heard, "");
  EXPECT_EQ(shell->errors().size(), std::size_t{1} << 16U);
}

TEST(Dialogue, StopEndsIt) {
  std::stop_source stop;
  const auto shell = talk_to("echo begun; sleep 100");
  std::string heard;
  EXPECT_EQ(hear(*shell, "", heard, "begun\n"), Turn::heard);
  const std::jthread later([&] { stop.request_stop(); });
  std::string outgoing;
  EXPECT_EQ(shell->exchange(outgoing, heard, patience, stop.get_token()), Turn::cancelled);
}

TEST(Dialogue, TakesItsChildrenAlong) {
  const servers::Folder folder;
  {
    const auto shell = talk_to("sleep 100 & echo $! > " + folder.file("pid") + "; echo up; wait");
    std::string heard;
    EXPECT_EQ(hear(*shell, "", heard, "up\n"), Turn::heard);
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

}  // namespace
}  // namespace stsctl::io
