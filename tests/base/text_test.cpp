#include "base/text.h"

#include <gtest/gtest.h>

namespace stsctl {
namespace {

using namespace std::string_literals;
using Pieces = std::vector<std::string_view>;

TEST(Text, LowerChangesLettersOfAsciiOnly) {
  EXPECT_EQ(lower("AZ[@az09 \xC3\x84"), "az[@az09 \xC3\x84");
  EXPECT_EQ(lower(""), "");
}

TEST(Text, TrimTakesBlanksOffBothEnds) {
  EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, SplitKeepsEmptyPieces) {
  EXPECT_EQ(split("a,b", ','), (Pieces{"a", "b"}));
  EXPECT_EQ(split(",a,,", ','), (Pieces{"", "a", "", ""}));
  EXPECT_EQ(split("", ','), Pieces{""});
}

TEST(Text, JoinUndoesSplit) {
  EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(join({}, ","), "");
}

TEST(Text, ReplacedDoesNotReadWhatItWrote) {
  EXPECT_EQ(replaced("a{x}b{x}", "{x}", "1"), "a1b1");
  EXPECT_EQ(replaced("it's", "'", "'\\''"), "it'\\''s");
  EXPECT_EQ(replaced("aaa", "aa", ""), "a");
  EXPECT_EQ(replaced("", "a", "b"), "");
}

TEST(Printable, OutsideTextCannotDriveATerminal) {
  struct Case {
    std::string text;
    std::string shown;
  };
  for (const Case& one : std::vector<Case>{
           {"plain ~", "plain ~"},
           {"M\xC3\xBCnchen \xE2\x82\xAC \xF0\x9F\x90\xA2",
            "M\xC3\xBCnchen \xE2\x82\xAC "
            "\xF0\x9F\x90\xA2"},
           {"\x1b[2J", "\\x1B[2J"},                       // escape
           {"a\0b\n\t"s, "a\\x00b\\x0A\\x09"},            // C0 controls
           {"\x7F", "\\x7F"},                             // DEL
           {"\xC2\x9B", "\\xC2\\x9B"},                    // CSI as a C1 control
           {"\xC2\xA0", "\xC2\xA0"},                      // the first past C1
           {"\xE2\x80\xAE", "\\xE2\\x80\\xAE"},           // right-to-left override
           {"\xE2\x81\xA6", "\\xE2\\x81\\xA6"},           // isolate
           {"\xE2\x80\xAF", "\xE2\x80\xAF"},              // a narrow blank beside them
           {"\xC3", "\\xC3"},                             // cut off
           {"\xE2\x82", "\\xE2\\x82"},                    // cut off
           {"\xC0\xAF", "\\xC0\\xAF"},                    // overlong '/'
           {"\xE0\x80\xAF", "\\xE0\\x80\\xAF"},           // overlong '/'
           {"\xF0\x80\x80\xAF", "\\xF0\\x80\\x80\\xAF"},  // overlong '/'
           {"\xED\xA0\x80", "\\xED\\xA0\\x80"},           // surrogate
           {"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},  // past U+10FFFF
           {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},      // U+10FFFF
           {"\xFF\xFE", "\\xFF\\xFE"},                    // never in UTF-8
           {"\x80z", "\\x80z"},                           // continuation without a start
       })
    EXPECT_EQ(printable(one.text), one.shown) << one.shown;
}

TEST(Utf8, IsWellFormed) {
  for (const char* good : {"", "a\x01\x7F", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF",
                           "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(good)) << printable(good);
  for (const char* bad : {"\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80",
                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "a\xFF"})
    EXPECT_FALSE(is_utf8(bad)) << printable(bad);
}

TEST(Nearest, FindsALikelySlip) {
  const std::vector<std::string> keys{"max_age", "mode", "mx", "rua"};
  struct Case {
    const char* word;
    std::optional<std::string> nearest;
  };
  for (const Case& one : std::vector<Case>{{"max-age", "max_age"},   // replaced
                                           {"MAX_AGE", "max_age"},   // case
                                           {"maxage", "max_age"},    // left out
                                           {"mx_age", "max_age"},    // left out
                                           {"mdoe", "mode"},         // swapped: one slip, not two
                                           {"modee", "mode"},        // one too many
                                           {"ms", "mx"},             // short: one slip at most
                                           {"rau", "rua"},           // swapped
                                           {"mode", "mode"},         // itself
                                           {"ttl", std::nullopt},    // nothing like it
                                           {"domes", std::nullopt},  // two slips in five letters
                                           {"q", std::nullopt},      // nothing in common
                                           {"", std::nullopt}})
    EXPECT_EQ(nearest(one.word, keys), one.nearest) << one.word;
  EXPECT_EQ(nearest("q", {"r"}), std::nullopt);
  EXPECT_EQ(nearest("mode", {}), std::nullopt);
  EXPECT_EQ(nearest("abcde", {"abcdx", "abcde"}), "abcde");  // the nearest, not the first
}

TEST(Glob, Matches) {
  struct Case {
    const char* glob;
    const char* name;
    bool match;
  };
  for (const Case& one : std::vector<Case>{{"*", "", true},
                                           {"*", "a.b", true},
                                           {"", "", true},
                                           {"", "a", false},
                                           {"*.example.com", "a.b.example.com", true},
                                           {"*.example.com", "example.com", false},
                                           {"example.*", "EXAMPLE.net", true},
                                           {"EX*", "example.net", true},
                                           {"a?c", "abc", true},
                                           {"a?c", "ac", false},
                                           {"a?", "a", false},
                                           {"*a*b", "xaxxab", true},  // tries again after a miss
                                           {"*a*b", "xaxxba", false},
                                           {"a**", "a", true},
                                           {"a", "ab", false},
                                           {"[a]", "a", false}})  // no classes
    EXPECT_EQ(glob_matches(one.glob, one.name), one.match) << one.glob << " " << one.name;
}

// A glob of many stars must not take exponential time.
TEST(Glob, ManyStarsStayFast) {
  std::string glob;
  for (int i = 0; i < 200; ++i)
    glob += "*a";
  EXPECT_FALSE(glob_matches(glob + "b", std::string(2000, 'a')));
}

TEST(ShellWords, SplitsAsAShellDoes) {
  using Words = std::vector<std::string>;
  struct Case {
    const char* command;
    std::optional<Words> words;
  };
  for (const Case& one :
       std::vector<Case>{{"", Words{}},
                         {"  \t ", Words{}},
                         {"aws  configure\texport", Words{"aws", "configure", "export"}},
                         {R"("/opt/my tools/get" --profile 'a b')",
                          Words{"/opt/my tools/get", "--profile", "a b"}},
                         {R"(a\ b c\\d)", Words{"a b", R"(c\d)"}},
                         {R"("a\"b" "c\d" '\e')", Words{"a\"b", R"(c\d)", R"(\e)"}},
                         {R"(a"b"'c' "" '')", Words{"abc", "", ""}},
                         {"$HOME `x`", Words{"$HOME", "`x`"}},  // nothing is expanded
                         {"'open", std::nullopt},
                         {"\"open", std::nullopt}})
    EXPECT_EQ(shell_words(one.command), one.words) << one.command;
}

TEST(Text, ShortenedSplitsNoCharacter) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc…");
  EXPECT_EQ(shortened("aüb", 2), "a…");
  EXPECT_EQ(shortened("aüb", 3), "aü…");
  EXPECT_EQ(shortened("\x80\x80", 1), "…");
}

TEST(Text, NearestIsNoneForAWordThatIsMuchLonger) {
  EXPECT_EQ(nearest(std::string(1U << 20U, 'x'), {"domains"}), std::nullopt);
}

}  // namespace
}  // namespace stsctl
