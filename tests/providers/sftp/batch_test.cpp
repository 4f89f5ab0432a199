// What is said to sftp and what its answers mean, by tables.

#include "providers/sftp/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/sftp/remote_file.h"

namespace stsctl::providers::sftp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Word {
  std::string path;
  std::string quoted;
};

TEST(PathWord, StandsForItself) {
  const std::vector<Word> words{
      {"/srv/www", R"("/srv/www")"},
      {"a b", R"("a b")"},
      {" ", R"(" ")"},
      {R"(say "x")", R"("say \"x\"")"},
      {"it's", R"("it's")"},
      {R"(back\slash)", R"("back\\slash")"},
      {R"(end\)", R"("end\\")"},
      {R"(\")", R"("\\\"")"},
      {"*?[x]", R"("*?[x]")"},  // sftp escapes globs inside quotes by itself
      {"#no comment", R"("#no comment")"},
      {"-r", R"("./-r")"},  // no option
      {"-", R"("./-")"},
      {"{a,b}~", R"("{a,b}~")"},
      {"m\xc3\xbcnchen", "\"m\xc3\xbcnchen\""},
      {"$HOME `x` ;|&", R"("$HOME `x` ;|&")"},  // no shell is near
  };
  for (const Word& word : words)
    EXPECT_EQ(path_word(word.path).value_or("refused"), word.quoted) << word.path;
}

TEST(PathWord, RefusesWhatALineCannotHold) {
  for (const std::string& path : {std::string(), std::string("a\nrm b"), std::string("a\rb"),
                                  std::string("a\tb"), std::string("a\0b", 3), std::string("a\x7f"),
                                  std::string(899, 'x'), std::string(450, '"')}) {
    const auto refused = path_word(path);
    ASSERT_FALSE(refused) << path;
    EXPECT_EQ(refused.error().code, Code::invalid);
  }
  EXPECT_TRUE(path_word(std::string(898, 'x')));
}

TEST(Script, MarksTheEndOfEachAnswer) {
  EXPECT_EQ(script({"get a b", "rm c"}, "m"), "-@get a b\n#m-0\n-@rm c\n#m-1\n");
  EXPECT_EQ(last_line(2, "m"), "sftp> #m-1\n");
  EXPECT_EQ(script({}, "m"), "#m-0\n");
  EXPECT_EQ(last_line(0, "m"), "sftp> #m-0\n");
}

TEST(Part, TellsAnswersApart) {
  // As OpenSSH 9.2 said it: errors end in CR LF, echoes in LF.
  const Transcript all = part(
      "sftp> #m-0\nFile \"/x y\" not found.\r\nsftp> #m-1\nremote open \"/z\": Failure\r\n"
      "close remote: Failure\r\nsftp> #m-2\n",
      "m");
  EXPECT_THAT(all.answers, ElementsAre("", "File \"/x y\" not found.",
                                       "remote open \"/z\": Failure\nclose remote: Failure"));
  EXPECT_EQ(all.rest, "");
}

TEST(Part, EndsWhereTheProgramDid) {
  const Transcript cut =
      part("sftp> #m-0\nclient_loop: send disconnect\r\nConnection closed\r\n", "m");
  EXPECT_THAT(cut.answers, ElementsAre(""));
  EXPECT_EQ(cut.rest, "client_loop: send disconnect\nConnection closed");
  EXPECT_THAT(part("", "m").answers, IsEmpty());
  EXPECT_THAT(part("sftp> #m-", "m").answers, IsEmpty());
}

TEST(Part, TakesNoMarkButItsOwnInItsTurn) {
  const Transcript forged = part("sftp> #x-0\nsftp> #m-1\n x sftp> #m-0\nsftp> #m-0 \nlate", "m");
  ASSERT_EQ(forged.answers.size(), 1U);
  EXPECT_EQ(forged.answers[0], "sftp> #x-0\nsftp> #m-1\nx sftp> #m-0");
  EXPECT_EQ(forged.rest, "late");
}

struct Answer {
  const char* text;
  Meaning meaning;
};

TEST(Meaning, OfEveryAnswerSeen) {
  const std::vector<Answer> answers{
      {"", Meaning::done},
      {"File \"/a/b\" not found.", Meaning::unfound},
      {"stat remote: No such file or directory", Meaning::absent},
      {"realpath /a/b: No such file", Meaning::absent},
      {"remote delete /a: No such file or directory", Meaning::absent},
      {"dest open \"/a/b\": No such file or directory", Meaning::absent},
      {"remote open \"/a\": Permission denied", Meaning::denied},
      {"dest open \"/a\": Permission denied", Meaning::denied},
      {"remote mkdir \"/a\": Failure", Meaning::failure},
      {"write remote \"/a\": Failure\nclose remote: Failure", Meaning::failure},
      {"download /a/: not a regular file", Meaning::wrong_kind},
      {"Can't change directory: \"/a\" is not a directory", Meaning::wrong_kind},
      {"remote fsetstat: Operation unsupported", Meaning::unsupported},
      {"remote rename \"/a\" to \"/b\": Connection lost", Meaning::other},
      // this machine's own trouble
      {"open local \"/tmp/x\": Permission denied", Meaning::other},
      {"write local \"/tmp/x\": No such file or directory", Meaning::other},
      // what a server chooses to say
      {"realpath /a: Das System kann den Pfad nicht finden", Meaning::other},
      {"No such file or directory, says the banner\nof the day", Meaning::other},
  };
  for (const Answer& answer : answers)
    EXPECT_EQ(meaning(answer.text), answer.meaning) << answer.text;
}

TEST(Permissions, OfALineOfLs) {
  EXPECT_EQ(permissions("-rwxr-xr-x    1 33       33       4 Nov 25 02:40 /a b"), 0755U);
  EXPECT_EQ(permissions("-rw-------    1 33       33       4 Nov 25 02:40 /a"), 0600U);
  EXPECT_EQ(permissions("----------    1 33       33       4 Nov 25 02:40 /a"), 0U);
  for (const char* const other :
       {"", "-rwx", "-rwxr-xr-x", "drwxr-xr-x    2 33 33 4 Nov 25 02:40 /a",
        "-rwsr-xr-x    1 33 33 4 Nov 25 02:40 /a", "-wrxr-xr-x    1", "Can't ls: \"/a\" not found"})
    EXPECT_EQ(permissions(other), std::nullopt) << other;
}

TEST(Problem, NamesFileActionAndRemedy) {
  const Error denied = problem("remote open \"/a\": Permission denied", "read the file", "/a");
  EXPECT_EQ(denied.code, Code::unauthorized);
  EXPECT_EQ(denied.what, "cannot read the file: permission denied");
  EXPECT_EQ(denied.where, "/a");
  EXPECT_THAT(denied.hint, Not(IsEmpty()));
  EXPECT_EQ(problem("x: Failure", "write", "/a").code, Code::internal);
  EXPECT_EQ(problem("download /a/: not a regular file", "read", "/a").code, Code::invalid);
  EXPECT_EQ(problem("x: Operation unsupported", "read", "/a").code, Code::unsupported);
  EXPECT_EQ(problem("File \"/a\" not found.", "read", "/a").code, Code::not_found);
  EXPECT_THAT(problem("odd \x1b[2J words", "read", "/a").what, HasSubstr("odd \\x1B[2J words"));
}

TEST(Place, IsBelowTheRoot) {
  const Place deep = *place("/srv/www", "mta-sts.a.example/.well-known/mta-sts.txt", "r1");
  EXPECT_EQ(deep.path, "/srv/www/mta-sts.a.example/.well-known/mta-sts.txt");
  EXPECT_EQ(deep.file, "\"/srv/www/mta-sts.a.example/.well-known/mta-sts.txt\"");
  EXPECT_EQ(deep.temporary, "\"/srv/www/mta-sts.a.example/.well-known/.mta-sts.txt.stsctl-r1\"");
  EXPECT_THAT(deep.folders, ElementsAre("\"/srv/www/mta-sts.a.example\"",
                                        "\"/srv/www/mta-sts.a.example/.well-known\""));
  const Place flat = *place("/", "a.example.txt", "r1");
  EXPECT_EQ(flat.file, "\"/a.example.txt\"");
  EXPECT_EQ(flat.temporary, "\"/.a.example.txt.stsctl-r1\"");
  EXPECT_THAT(flat.folders, IsEmpty());
  EXPECT_EQ(place(".", "x/y", "r1")->file, "\"./x/y\"");
  EXPECT_EQ(place("-odd", "x", "r1")->file, "\"./-odd/x\"");
  EXPECT_FALSE(place("/srv", std::string(890, 'x'), "r1"));  // the temporary name does not fit
  EXPECT_FALSE(place("/srv", "a\nb", "r1"));
}

}  // namespace
}  // namespace stsctl::providers::sftp
