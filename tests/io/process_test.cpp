#include "io/process.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/parallel.h"
#include "servers/running.h"

namespace stsctl::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr Duration long_enough{60};

class Programs : public testing::Test {
 protected:
  // As the program does, once and for all (src/cli/real_world.cpp).
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  Result<Exit> run(const std::vector<std::string>& argv, const std::string& input = {},
                   Duration deadline = long_enough) {
    const auto begin = steady_clock::now();
    auto exit = process_->run(argv, input, deadline);
    took_ = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
    return exit;
  }

  Result<Exit> shell(const std::string& script, const std::string& input = {},
                     Duration deadline = long_enough) {
    return run({"sh", "-c", script}, input, deadline);
  }

  std::unique_ptr<Process> process_ = real_process();
  milliseconds took_{0};
};

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

// Ended, though its parent may not have taken notice.
bool gone(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/stat");
  std::string number;
  std::string name;
  std::string state;
  return !(status >> number >> name >> state) || state == "Z";
}

TEST_F(Programs, ExitStatusAndBothStreams) {
  const auto exit = shell("echo out; echo err >&2; exit 7");
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, 7);
  EXPECT_EQ(exit->output, "out\n");
  EXPECT_EQ(exit->errors, "err\n");
}

TEST_F(Programs, ArgumentsGoAsTheyAre) {
  const auto exit = run({"printf", "%s|", "a b", "$HOME", "*", "\"", "", "ü"});
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->output, "a b|$HOME|*|\"||ü|");
}

TEST_F(Programs, InputIsReadToItsEnd) {
  EXPECT_EQ(run({"cat"}, "one\ntwo\n")->output, "one\ntwo\n");
  EXPECT_EQ(run({"cat"})->output, "");
}

TEST_F(Programs, InputNobodyReads) {
  const std::string input(std::size_t{4} << 20U, 'x');
  EXPECT_EQ(shell("exec <&-; echo done", input)->output, "done\n");
  EXPECT_EQ(run({"true"}, input)->status, 0);
}

TEST_F(Programs, LargeOutputBothWays) {
  std::string input;
  while (input.size() < std::size_t{900} << 10U)
    input += "line " + std::to_string(input.size()) + "\n";
  const auto exit = shell("tee /dev/stderr", input);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->output, input);
  EXPECT_EQ(exit->errors, input);
}

TEST_F(Programs, OutputPastOneMebibyteIsReadAndDropped) {
  const auto exit = shell("head -c 5000000 /dev/zero; echo end >&2; exit 3");
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, 3);
  EXPECT_EQ(exit->output.size(), std::size_t{1} << 20U);
  EXPECT_EQ(exit->errors, "end\n");
}

TEST_F(Programs, LastWordsAreNotLost) {
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(shell("head -c 60000 /dev/zero; echo end >&2; kill -9 $$")->output.size(), 60000U);
}

TEST_F(Programs, SignalIsStatusPast128) {
  EXPECT_EQ(shell("kill -TERM $$")->status, 128 + SIGTERM);
  EXPECT_EQ(shell("kill -SEGV $$")->status, 128 + SIGSEGV);
}

TEST_F(Programs, OwnSignalSettingsAreNotInherited) {
  sigset_t blocked{};
  sigset_t before{};
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto exit = shell("kill -TERM $$; echo survived");
  const auto broken_pipe = shell("kill -PIPE $$; echo survived");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(exit->status, 128 + SIGTERM);
  EXPECT_EQ(broken_pipe->status, 128 + SIGPIPE);
}

TEST_F(Programs, MissingProgram) {
  ::setenv("PATH", "/usr/bin:/bin", 1);  // folders that are closed to us would show instead
  for (const char* name : {"stsctl-no-such-program", "/nonexistent/program", ""}) {
    const auto exit = run({name});
    ASSERT_FALSE(exit) << name;
    EXPECT_EQ(exit.error().code, Code::not_found);
    EXPECT_EQ(exit.error().where, name);
  }
}

TEST_F(Programs, NotExecutable) {
  const servers::Folder folder;
  const auto exit = run({folder.write("script", "#!/bin/sh\n")});
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, Code::internal);
  EXPECT_NE(exit.error().what.find("Permission denied"), std::string::npos) << exit.error().what;
}

// Each writes the process ids that must be gone to the file "$1". All at once, to take a second.
TEST_F(Programs, DeadlineEndsThemHoweverTheyBehave) {
  const std::vector<std::string> scripts{
      "exec sleep 60",                                // silent
      "exec >&- 2>&-; exec sleep 60",                 // closes its streams and goes on
      "exec <&- >&- 2>&-; exec sleep 60",             // all of them
      "while :; do echo x; done",                     // never silent
      "trap '' TERM INT HUP; sleep 60; true",         // deaf
      "sleep 60 & echo $! >> \"$1\"; wait",           // waits for what it started
      "sleep 60 >&- 2>&- & echo $! >> \"$1\"; wait",  // which has no stream of ours
      // leaves its group
      "exec python3 -c 'import os, time; os.setpgid(0, os.getpgid(os.getppid())); time.sleep(60)'"};
  const servers::Folder folder;
  const auto attempt = [&](const std::string& script) -> std::string {
    const std::string pids = folder.file(std::to_string(std::hash<std::string>{}(script)));
    const auto begin = steady_clock::now();
    const auto exit = process_->run({"sh", "-c", "echo $$ > \"$1\"; " + script, "sh", pids},
                                    std::string(std::size_t{1} << 20U, 'x'), Duration{1});
    const auto took = steady_clock::now() - begin;
    if (exit) return "it ended by itself";
    if (exit.error().code != Code::timeout || exit.error().where != "sh")
      return to_string(exit.error());
    if (took < milliseconds{1000} || took > milliseconds{10000}) return "the deadline is not kept";
    std::ifstream in(pids);
    for (std::string pid; in >> pid;)
      if (!servers::wait_until([&] { return gone(pid); })) return pid + " lives on";
    return "";
  };
  const auto results = parallel_map(scripts, scripts.size(), {}, attempt);
  for (std::size_t i = 0; i < scripts.size(); ++i)
    EXPECT_EQ(results[i], "") << scripts[i];
}

TEST_F(Programs, ChildThatClosesItsStreamsIsWaitedFor) {
  const auto exit = shell("exec >&- 2>&-; sleep 0.3; exit 5");
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, 5);
  EXPECT_GE(took_, milliseconds{300});
}

TEST_F(Programs, WhatItLeavesRunningIsNotWaitedFor) {
  const servers::Folder folder;
  const auto exit = shell("sleep 30 & echo $! > " + folder.file("pid") + "; echo started; exit 4");
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, 4);
  EXPECT_EQ(exit->output, "started\n");
  EXPECT_LT(took_, milliseconds{10000});
  std::string pid;
  std::ifstream(folder.file("pid")) >> pid;
  EXPECT_EQ(::kill(std::stoi(pid), SIGKILL), 0) << "a daemon that a script starts must live on";
}

TEST_F(Programs, NoDescriptorLeaksToTheProgramOrStays) {
  const int ours = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a library might
  const std::size_t before = open_descriptors();
  const auto exit = run({"ls", "/proc/self/fd"});
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->output, "0\n1\n2\n3\n");  // 3 is the folder that ls reads
  static_cast<void>(run({"stsctl-no-such-program"}));
  static_cast<void>(run({"sleep", "60"}, {}, Duration{0}));
  EXPECT_EQ(open_descriptors(), before);
  ::close(ours);
}

TEST_F(Programs, StandardStreamsOfOursMayBeClosed) {
  std::vector<int> kept;
  for (int number = 0; number < 3; ++number) {
    kept.push_back(::fcntl(number, F_DUPFD_CLOEXEC, 10));
    ::close(number);
  }
  const auto exit = shell("cat; echo err >&2", "through");
  for (int number = 0; number < 3; ++number) {
    const int copy = kept[static_cast<std::size_t>(number)];
    if (copy < 0) continue;
    ::dup2(copy, number);
    ::close(copy);
  }
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->output, "through");
  EXPECT_EQ(exit->errors, "err\n");
}

TEST_F(Programs, ManyAtOnce) {
  const std::vector<int> numbers{1, 2, 3, 4, 5, 6, 7, 8};
  const auto outputs = parallel_map(numbers, numbers.size(), {}, [&](int number) {
    std::string output;
    for (int turn = 0; turn < 5; ++turn)
      output += process_->run({"echo", std::to_string(number)}, {}, long_enough)->output;
    return output;
  });
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string line = std::to_string(numbers[i]) + "\n";
    EXPECT_EQ(outputs[i], line + line + line + line + line);
  }
}

}  // namespace
}  // namespace stsctl::io
