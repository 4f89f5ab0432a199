// SFTP's packets byte by byte, as the draft lays them out.

#include "providers/sftp/packet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::providers::sftp {
namespace {

// Bytes from hexadecimal digits, blanks between, and 'text' as it is.
std::string bytes(std::string_view notation) {
  std::string out;
  for (std::size_t i = 0; i < notation.size(); ++i) {
    if (notation[i] == ' ') continue;
    if (notation[i] == '\'') {
      const std::size_t end = notation.find('\'', i + 1);
      out += notation.substr(i + 1, end - i - 1);
      i = end;
      continue;
    }
    out += static_cast<char>(std::stoi(std::string(notation.substr(i++, 2)), nullptr, 16));
  }
  return out;
}

TEST(Notation, IsReadRight) {
  EXPECT_EQ(bytes("00 41 'a b' ff"), std::string("\0Aa b\xff", 6));
}

struct Written {
  Request request;
  const char* packet;
  const char* words;
};

TEST(Append, EveryRequest) {
  const Handle handle{bytes("00 01"), "/w/f"};
  const std::vector<Written> table{
      {Request::open("/w/f"),
       "00 00 00 15 03 00 00 00 07 00 00 00 04 '/w/f' 00 00 00 01 00 00 00 00", "open /w/f"},
      {Request::create("/w/f", 0644),
       "00 00 00 19 03 00 00 00 07 00 00 00 04 '/w/f' 00 00 00 1a 00 00 00 04 00 00 01 a4",
       "create /w/f"},
      {Request::create("/w/f", std::nullopt),
       "00 00 00 15 03 00 00 00 07 00 00 00 04 '/w/f' 00 00 00 1a 00 00 00 00", "create /w/f"},
      {Request::read(handle, 0x100000002),
       "00 00 00 17 05 00 00 00 07 00 00 00 02 00 01 00 00 00 01 00 00 00 02 00 00 80 00",
       "read /w/f"},
      {Request::write(handle, 3, "body"),
       "00 00 00 1b 06 00 00 00 07 00 00 00 02 00 01 00 00 00 00 00 00 00 03 00 00 00 04 'body'",
       "write /w/f, 4 bytes"},
      {Request::close(handle), "00 00 00 0b 04 00 00 00 07 00 00 00 02 00 01", "close /w/f"},
      {Request::stat("/w"), "00 00 00 0b 11 00 00 00 07 00 00 00 02 '/w'", "look at /w"},
      {Request::fstat(handle), "00 00 00 0b 08 00 00 00 07 00 00 00 02 00 01", "look at /w/f"},
      {Request::chmod("/w", 0755),
       "00 00 00 13 09 00 00 00 07 00 00 00 02 '/w' 00 00 00 04 00 00 01 ed", "chmod /w"},
      {Request::fchmod(handle, 0755),
       "00 00 00 13 0a 00 00 00 07 00 00 00 02 00 01 00 00 00 04 00 00 01 ed", "chmod /w/f"},
      {Request::mkdir("/w", 0755),
       "00 00 00 13 0e 00 00 00 07 00 00 00 02 '/w' 00 00 00 04 00 00 01 ed", "mkdir /w"},
      {Request::remove("/w"), "00 00 00 0b 0d 00 00 00 07 00 00 00 02 '/w'", "remove /w"},
      {Request::rmdir("/w"), "00 00 00 0b 0f 00 00 00 07 00 00 00 02 '/w'", "rmdir /w"},
      {Request::rename("/a", "/b"), "00 00 00 11 12 00 00 00 07 00 00 00 02 '/a' 00 00 00 02 '/b'",
       "rename to the new /b"},
      {Request::replace("/a", "/b"),
       "00 00 00 2d c8 00 00 00 07 00 00 00 18 'posix-rename@openssh.com' 00 00 00 02 '/a' "
       "00 00 00 02 '/b'",
       "rename over /b"},
      {Request::fsync(handle),
       "00 00 00 20 c8 00 00 00 07 00 00 00 11 'fsync@openssh.com' 00 00 00 02 00 01",
       "flush /w/f"},
  };
  for (const Written& written : table) {
    std::string packet = "before";
    append(packet, 7, written.request);
    EXPECT_EQ(packet, "before" + bytes(written.packet)) << written.words;
    EXPECT_EQ(written.request.words, written.words);
  }
}

TEST(Append, Init) {
  std::string packet;
  append_init(packet);
  EXPECT_EQ(packet, bytes("00 00 00 05 01 00 00 00 03"));
}

TEST(FirstPacket, WaitsForTheWholeOfIt) {
  const std::string two = bytes("00 00 00 03 'abc' 00 00 00 01 'd'");
  for (std::size_t i = 0; i < 7; ++i)
    EXPECT_EQ(*first_packet(two.substr(0, i)), std::nullopt) << i;
  EXPECT_EQ(*first_packet(two.substr(0, 7)), "abc");
  EXPECT_EQ(*first_packet(two), "abc");
}

TEST(FirstPacket, RefusesWhatIsNone) {
  for (const char* const none : {"00 00 00 00", "00 04 00 01", "ff ff ff ff", "'Welcome'"}) {
    const auto packet = first_packet(bytes(none));
    ASSERT_FALSE(packet) << none;
    EXPECT_EQ(packet.error().code, Code::protocol);
  }
  EXPECT_TRUE(first_packet(bytes("00 04 00 00")));
}

TEST(ReadGreeting, FindsTheExtensions) {
  EXPECT_EQ(*read_greeting(bytes("02 00 00 00 03")), Greeting{});
  EXPECT_EQ(
      *read_greeting(bytes("02 00 00 00 03 00 00 00 18 'posix-rename@openssh.com' 00 00 00 01 '1' "
                           "00 00 00 03 'foo' 00 00 00 00 "
                           "00 00 00 11 'fsync@openssh.com' 00 00 00 01 '1'")),
      (Greeting{.posix_rename = true, .fsync = true}));
  // Another revision is another request.
  EXPECT_EQ(*read_greeting(bytes("02 00 00 00 03 00 00 00 11 'fsync@openssh.com' 00 00 00 01 '2'")),
            Greeting{});
}

struct Refused {
  const char* packet;
  Code code;
};

TEST(ReadGreeting, RefusesOthers) {
  for (const Refused& refused :
       {Refused{"", Code::protocol},                // nothing
        Refused{"02 00 00 03", Code::protocol},     // cut
        Refused{"65 00 00 00 03", Code::protocol},  // a status
        Refused{"02 00 00 00 02", Code::unsupported}, Refused{"02 00 00 00 06", Code::unsupported},
        Refused{"02 00 00 00 03 00 00 00 09 'foo'", Code::protocol}}) {
    const auto greeting = read_greeting(bytes(refused.packet));
    ASSERT_FALSE(greeting) << refused.packet;
    EXPECT_EQ(greeting.error().code, refused.code) << refused.packet;
  }
}

TEST(ReadAnswer, EveryKind) {
  const std::vector<std::pair<const char*, Answer>> table{
      {"65 00 00 00 07 00 00 00 00 00 00 00 07 'Success' 00 00 00 00",
       {.type = Type::status, .status = Status::ok, .text = "Success"}},
      {"65 00 00 00 07 00 00 00 02",
       {.type = Type::status, .status = Status::no_such_file, .text = {}}},
      {"66 00 00 00 07 00 00 00 02 00 01", {.type = Type::handle, .text = bytes("00 01")}},
      {"67 00 00 00 07 00 00 00 04 'body'", {.type = Type::data, .text = "body"}},
      {"69 00 00 00 07 00 00 00 00", {.type = Type::attributes, .text = {}}},
      {"69 00 00 00 07 00 00 00 0f 00 00 00 01 00 00 00 02 00 00 00 0a 00 00 00 0b 00 00 81 a4 "
       "00 00 00 0c 00 00 00 0d",
       {.type = Type::attributes, .text = {}, .attributes = {0x100000002, 0100644}}},
      {"69 00 00 00 07 80 00 00 04 00 00 41 ed 00 00 00 01 00 00 00 01 'a' 00 00 00 01 'b'",
       {.type = Type::attributes, .text = {}, .attributes = {std::nullopt, 040755}}},
  };
  for (const auto& [packet, answer] : table) {
    const auto read = read_answer(bytes(packet));
    ASSERT_TRUE(read) << packet;
    EXPECT_EQ(read->id, 7U) << packet;
    EXPECT_EQ(read->answer, answer) << packet;
  }
}

TEST(ReadAnswer, KeepsANumberThatNobodyKnows) {
  const auto read = read_answer(bytes("65 00 00 00 07 00 00 00 63"));
  ASSERT_TRUE(read);
  EXPECT_EQ(static_cast<std::uint32_t>(read->answer.status), 99U);
}

TEST(ReadAnswer, RefusesWhatIsCutOrUnknown) {
  for (const char* const bad :
       {"", "65", "65 00 00 00", "65 00 00 00 07 00 00 00",
        "65 00 00 00 07 00 00 00 04 00 00 00 09 'short'", "66 00 00 00 07 00 00 00 02 00",
        "67 00 00 00 07 ff ff ff ff 'x'", "69 00 00 00 07 00 00 00 01 00 00 00 00",
        "69 00 00 00 07 00 00 00 10",  // an unknown field would follow
        "68 00 00 00 07 00 00 00 00",  // a list of names
        "03 00 00 00 07", "02 00 00 00 03"}) {
    const auto read = read_answer(bytes(bad));
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, Code::protocol);
  }
}

TEST(Fits, OnlyWhatARequestCanBeAnsweredWith) {
  const Answer ok{.text = {}};
  const Answer failure{.status = Status::failure, .text = {}};
  const Answer handle{.type = Type::handle, .text = "h"};
  const Answer data{.type = Type::data, .text = "d"};
  const Answer attributes{.type = Type::attributes, .text = {}};
  const Handle file{"h", "/f"};
  struct Row {
    Request request;
    bool ok, handle, data, attributes;
  };
  for (const Row& row : {Row{Request::open("/f"), false, true, false, false},
                         Row{Request::read(file, 0), false, false, true, false},
                         Row{Request::stat("/f"), false, false, false, true},
                         Row{Request::fstat(file), false, false, false, true},
                         Row{Request::write(file, 0, "x"), true, false, false, false},
                         Row{Request::mkdir("/f", 0755), true, false, false, false},
                         Row{Request::replace("/f", "/g"), true, false, false, false}}) {
    EXPECT_EQ(fits(row.request, ok), row.ok) << row.request.words;
    EXPECT_EQ(fits(row.request, handle), row.handle) << row.request.words;
    EXPECT_EQ(fits(row.request, data), row.data) << row.request.words;
    EXPECT_EQ(fits(row.request, attributes), row.attributes) << row.request.words;
    EXPECT_TRUE(fits(row.request, failure)) << row.request.words;
  }
  const Request read = Request::read(file, 0);
  const auto piece = [](std::size_t size) {
    return Answer{Type::data, {}, std::string(size, 'x')};
  };
  EXPECT_TRUE(fits(read, piece(longest_piece)));
  EXPECT_FALSE(fits(read, piece(longest_piece + 1)));
  EXPECT_FALSE(fits(read, piece(0)));  // whoever asked for more would ask for ever
  EXPECT_FALSE(fits(Request::open("/f"), {Type::handle, {}, std::string(257, 'x')}));
}

}  // namespace
}  // namespace stsctl::providers::sftp
