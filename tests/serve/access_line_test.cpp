#include "serve/access_line.h"

#include <gtest/gtest.h>

namespace stsctl::serve {
namespace {

Access access() {
  return {.at = *parse_time("2026-11-24T08:00:01Z"),
          .listener = "http://127.0.0.1:8080",
          .client = "192.0.2.1",
          .method = "GET",
          .target = "/.well-known/mta-sts.txt",
          .host = "mta-sts.example.com",
          .version = "HTTP/1.1",
          .user_agent = "sender/1",
          .status = 200,
          .bytes = 44,
          .took = std::chrono::microseconds(87)};
}

std::string line(const Access& what, LogFormat format) {
  std::string out;
  append_line(out, what, format);
  return out;
}

TEST(AccessLine, IsOneJsonObject) {
  EXPECT_EQ(line(access(), LogFormat::json),
            R"({"time":"2026-11-24T08:00:01Z","listener":"http://127.0.0.1:8080",)"
            R"("client":"192.0.2.1","method":"GET","host":"mta-sts.example.com",)"
            R"("target":"/.well-known/mta-sts.txt","status":200,"bytes":44,"microseconds":87,)"
            R"("user_agent":"sender/1"})"
            "\n");
}

TEST(AccessLine, IsTheCommonFormat) {
  EXPECT_EQ(line(access(), LogFormat::common),
            "192.0.2.1 - - [24/Nov/2026:08:00:01 +0000] "
            "\"GET /.well-known/mta-sts.txt HTTP/1.1\" 200 44\n");
  EXPECT_EQ(line({.at = access().at, .client = "192.0.2.1", .status = 400}, LogFormat::common),
            "192.0.2.1 - - [24/Nov/2026:08:00:01 +0000] \"-\" 400 0\n");
}

TEST(AccessLine, ShowsWhatWasSentSafely) {
  struct Case {
    std::string sent, json, common;
  };
  for (const Case& c : {
           Case{"a\"b", R"(a\"b)", R"(a\"b)"},
           Case{"a\\b", R"(a\\\\b)", R"(a\\b)"},
           Case{"a\nb", R"(a\\x0Ab)", R"(a\x0Ab)"},
           Case{"\x1b[2J", R"(\\x1B[2J)", R"(\x1B[2J)"},
           Case{"\\x1B", R"(\\\\x1B)", R"(\\x1B)"},  // not to be taken for the one above
           Case{"\xff", R"(\\xFF)", R"(\xFF)"},
           Case{"\xc2\x9b", R"(\\xC2\\x9B)", R"(\xC2\x9B)"},
           Case{"m\xc3\xbc", "m\xc3\xbc", "m\xc3\xbc"},
       }) {
    Access one = access();
    one.target = c.sent;
    EXPECT_NE(line(one, LogFormat::json).find("\"target\":\"" + c.json + "\","), std::string::npos)
        << line(one, LogFormat::json);
    EXPECT_NE(line(one, LogFormat::common).find("\"GET " + c.common + " HTTP/1.1\""),
              std::string::npos)
        << line(one, LogFormat::common);
  }
}

TEST(AccessLine, CutsWhatIsLong) {
  const std::string agent(100'000, 'x');
  Access one = access();
  one.user_agent = agent;
  const std::string text = line(one, LogFormat::json);
  EXPECT_LT(text.size(), 1000U);
  EXPECT_TRUE(text.ends_with("xxx...\"}\n"));
}

}  // namespace
}  // namespace stsctl::serve
