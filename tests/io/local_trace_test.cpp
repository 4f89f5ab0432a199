#include "io/local_trace.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "servers/running.h"

namespace stsctl::io {
namespace {

using testing::HasSubstr;
using testing::Not;

class LocalTrace : public testing::Test {
 protected:
  std::string said() {
    std::string text = out_.str();
    out_.str({});
    return text;
  }

  servers::Folder folder_;
  std::ostringstream out_;
  Log log_{out_, LogLevel::debug};
  fakes::FakeClock clock_;
  std::unique_ptr<Files> disk_ = real_files();
  FilesTrace files_{*disk_, clock_, log_};
  std::unique_ptr<Process> system_ = real_process();
  ProcessTrace process_{*system_, clock_, log_};
};

TEST_F(LocalTrace, EveryCallIsALineWithoutTheContent) {
  const std::string path = folder_.file("deep/file");
  EXPECT_TRUE(files_.replace(path, "content", true, 0644));
  EXPECT_EQ(said(), "debug: write " + path + " -> 7 bytes in 0 ms\n");
  EXPECT_EQ(files_.read(path, 100), "content");
  EXPECT_EQ(said(), "debug: read " + path + " -> 7 bytes in 0 ms\n");
  EXPECT_EQ((*files_.open(path))->read(100), "content");
  EXPECT_EQ(said(), "debug: open " + path + " -> done in 0 ms\n");
  EXPECT_EQ(files_.read_stream(path, 100), "content");
  EXPECT_EQ(said(), "debug: read " + path + " -> 7 bytes in 0 ms\n");
  EXPECT_EQ(files_.state(path)->size, 7U);
  EXPECT_EQ(said(), "debug: look at " + path + " -> 7 bytes in 0 ms\n");
  EXPECT_TRUE(files_.state(folder_.path())->is_folder);
  EXPECT_EQ(said(), "debug: look at " + folder_.path() + " -> a folder in 0 ms\n");
  EXPECT_EQ(files_.list(folder_.path())->size(), 1U);
  EXPECT_EQ(said(), "debug: list " + folder_.path() + " -> 1 names in 0 ms\n");
  EXPECT_EQ(files_.glob(folder_.file("deep/*"))->size(), 1U);
  EXPECT_EQ(said(), "debug: glob " + folder_.file("deep/*") + " -> 1 names in 0 ms\n");
  EXPECT_TRUE(files_.lock(folder_.path()));
  EXPECT_EQ(said(), "debug: lock " + folder_.path() + " -> done in 0 ms\n");
  EXPECT_TRUE(files_.remove(path));
  EXPECT_EQ(said(), "debug: remove " + path + " -> done in 0 ms\n");
  EXPECT_TRUE(files_.remove_empty_folder(folder_.file("deep")));
  EXPECT_EQ(said(), "debug: remove if empty " + folder_.file("deep") + " -> done in 0 ms\n");
}

TEST_F(LocalTrace, AFailureSaysWhy) {
  EXPECT_FALSE(files_.read(folder_.file("gone"), 100));
  EXPECT_EQ(said(), "debug: read " + folder_.file("gone") +
                        " -> not_found: cannot read: No such file or directory in 0 ms\n");
}

TEST_F(LocalTrace, AProgramAndHowItEnded) {
  EXPECT_TRUE(process_.run({"/bin/sh", "-c", "cat >/dev/null"}, "input", Duration{20}));
  EXPECT_EQ(said(), "debug: run /bin/sh with 2 arguments -> status 0 in 0 ms\n");
  EXPECT_TRUE(process_.run({"/bin/sh", "-c", "echo out; echo why >&2; exit 3"}, "", Duration{20}));
  EXPECT_THAT(said(), testing::EndsWith("-> status 3 (why) in 0 ms\n"));
  EXPECT_TRUE(process_.start({"/bin/true"}));
  EXPECT_EQ(said(), "debug: start /bin/true with 0 arguments -> done in 0 ms\n");
  EXPECT_FALSE(process_.run({"/no/such/program"}, "", Duration{20}));
  EXPECT_THAT(said(), HasSubstr("run /no/such/program with 0 arguments -> not_found: "));
}

TEST_F(LocalTrace, SecretsAreMasked) {
  log_.hide("s3cret-value");
  EXPECT_TRUE(process_.run({"/bin/sh", "-c", "echo s3cret-value >&2; exit 1"}, "", Duration{20}));
  EXPECT_THAT(said(), Not(HasSubstr("s3cret-value")));
}

TEST_F(LocalTrace, SilentBelowDebug) {
  log_.set_level(LogLevel::info);
  EXPECT_FALSE(files_.read(folder_.file("gone"), 100));
  EXPECT_TRUE(process_.run({"/bin/true"}, "", Duration{20}));
  EXPECT_EQ(said(), "");
}

}  // namespace
}  // namespace stsctl::io
